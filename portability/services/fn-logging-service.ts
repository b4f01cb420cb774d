// Logs of workers.
import type { beam } from "../protos/index.js";
import type { CallContext } from "./call-context.js";

/** `org.apache.beam.model.fn_execution.v1.BeamFnLogging`, offered by the runner. The metadata `worker_id` names the caller. */
export interface FnLoggingService {
  /**
   * Takes a worker's log, in order. The runner sends nothing today; it ends its side after the worker has ended its own, and the
   * worker waits for that, so that its last lines are not lost.
   */
  logging(entries: AsyncIterable<beam.fn.LogEntry.IList>, context: CallContext): AsyncIterable<beam.fn.ILogControl>;
}
