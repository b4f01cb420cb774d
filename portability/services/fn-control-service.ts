// Orders from a runner to a worker.
import type { beam } from "../protos/index.js";
import type { CallContext } from "./call-context.js";

/** `org.apache.beam.model.fn_execution.v1.BeamFnControl`, offered by the runner. The metadata `worker_id` names the caller. */
export interface FnControlService {
  /**
   * One stream for a worker's life, opened by the worker, on which the runner speaks first.
   *
   * Each request gets exactly one response with its `instructionId`, in any order; ids are never used twice. A response with `error`
   * means that the instruction has failed, whatever else it holds. Progress and splits are answered while bundles run; about a bundle
   * that has not started or is over they are answered empty. The runner ends the worker by ending the stream: the worker then
   * finishes the bundles under way, ends its side and exits.
   */
  control(responses: AsyncIterable<beam.fn.IInstructionResponse>, context: CallContext): AsyncIterable<beam.fn.IInstructionRequest>;

  /**
   * A stage by the id that a bundle names. One id has one content for good, so a worker asks once. Fails with NOT_FOUND for an
   * unknown id.
   */
  getProcessBundleDescriptor(
    request: beam.fn.IGetProcessBundleDescriptorRequest,
    context: CallContext,
  ): Promise<beam.fn.IProcessBundleDescriptor>;
}
