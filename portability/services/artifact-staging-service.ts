// Files from a client to the job service.
import type { beam } from "../protos/index.js";
import type { CallContext } from "./call-context.js";

/** `org.apache.beam.model.job_management.v1.ArtifactStagingService`. */
export interface ArtifactStagingService {
  /**
   * The client opens the stream, but the service asks and the client answers.
   *
   * The first message of the client has the `stagingToken` of `prepare` and answers nothing; an unknown token fails the call with
   * INVALID_ARGUMENT. Then the service sends requests, and the client answers them strictly in order: `resolveArtifact` with one
   * message, `getArtifact` with any number of chunks and then one message with `isLast` and no bytes. The service ends its side
   * once it has all it needs; only then does the client end its own.
   */
  reverseArtifactRetrievalService(
    responses: AsyncIterable<beam.job.IArtifactResponseWrapper>,
    context: CallContext,
  ): AsyncIterable<beam.job.IArtifactRequestWrapper>;
}
