// Reports on workers, for people who look for a problem.
import type { beam } from "../protos/index.js";
import type { CallContext } from "./call-context.js";

/** `org.apache.beam.model.fn_execution.v1.BeamFnWorkerStatus`, offered by the runner. The metadata `worker_id` names the caller. */
export interface FnWorkerStatusService {
  /** The runner asks whenever it likes; each request gets one response with its `id`. The worker opens the stream. */
  workerStatus(responses: AsyncIterable<beam.fn.IWorkerStatusResponse>, context: CallContext): AsyncIterable<beam.fn.IWorkerStatusRequest>;
}
