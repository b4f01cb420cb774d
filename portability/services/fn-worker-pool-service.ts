// Workers on request: the service behind an external environment.
import type { beam } from "../protos/index.js";
import type { CallContext } from "./call-context.js";

/**
 * `org.apache.beam.model.fn_execution.v1.BeamFnExternalWorkerPool`, offered by a pool and called by runners. A request that cannot
 * be met is answered with `error`, not failed.
 */
export interface FnWorkerPoolService {
  /**
   * Starts one worker under the given id, and answers at once; the worker then calls the endpoints of the request. One pool serves
   * any number of workers and jobs.
   */
  startWorker(request: beam.fn.IStartWorkerRequest, context: CallContext): Promise<beam.fn.IStartWorkerResponse>;

  /** Stops a worker, also one that has ended by itself. */
  stopWorker(request: beam.fn.IStopWorkerRequest, context: CallContext): Promise<beam.fn.IStopWorkerResponse>;
}
