// Elements and timers of bundles, between a runner and its workers.
import type { beam } from "../protos/index.js";
import type { CallContext } from "./call-context.js";

/** `org.apache.beam.model.fn_execution.v1.BeamFnData`, offered by the runner. The metadata `worker_id` names the caller. */
export interface FnDataService {
  /**
   * One stream for all bundles that name this endpoint, opened by the worker; with the metadata `data_stream_id`, one for those
   * bundles that name this stream.
   *
   * Elements of a bundle may arrive before the order to process it, and after its response; those of a bundle that is over are dropped.
   * A bundle's input is complete when each source, and each timer family of each transform, has had its `isLast`, and likewise its
   * output. A message with `isLast` carries no bytes, and nothing follows it. Neither side may let one bundle keep it from reading for
   * the others.
   */
  data(elements: AsyncIterable<beam.fn.IElements>, context: CallContext): AsyncIterable<beam.fn.IElements>;
}
