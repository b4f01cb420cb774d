// State of bundles: user state, side inputs and iterables too large to be sent.
import type { beam } from "../protos/index.js";
import type { CallContext } from "./call-context.js";

/** `org.apache.beam.model.fn_execution.v1.BeamFnState`, offered by the runner. The metadata `worker_id` names the caller. */
export interface FnStateService {
  /**
   * Each request gets one response with its `id`, in any order; a failed one has `error`.
   *
   * Requests of one bundle about one key take effect in the order in which they were sent, without waiting for responses. A cell
   * without values is empty, not an error. A page ends between two values; a non-empty `continuationToken` asks for the next page and
   * stays good for the rest of the bundle. Writes of a bundle count when it succeeds, and all together.
   */
  state(requests: AsyncIterable<beam.fn.IStateRequest>, context: CallContext): AsyncIterable<beam.fn.IStateResponse>;
}
