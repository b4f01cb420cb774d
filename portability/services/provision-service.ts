// The first contact of a worker with its runner.
import type { beam } from "../protos/index.js";
import type { CallContext } from "./call-context.js";

/** `org.apache.beam.model.fn_execution.v1.ProvisionService`. */
export interface ProvisionService {
  /**
   * Options, endpoints and artifacts of the worker that the metadata `worker_id` names. An endpoint in the answer wins over what the
   * worker was started with. Fails with NOT_FOUND for a worker that the runner does not expect.
   */
  getProvisionInfo(request: beam.fn.IGetProvisionInfoRequest, context: CallContext): Promise<beam.fn.IGetProvisionInfoResponse>;
}
