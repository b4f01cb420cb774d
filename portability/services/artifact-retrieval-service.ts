// Files from a runner to its workers, or from an expansion service to its client.
import type { beam } from "../protos/index.js";
import type { CallContext } from "./call-context.js";

/** `org.apache.beam.model.job_management.v1.ArtifactRetrievalService`. */
export interface ArtifactRetrievalService {
  /**
   * Says which artifacts the caller can fetch in place of those it asks about; their number may differ. Roles are kept. A preferred
   * type that the service cannot give is ignored.
   */
  resolveArtifacts(request: beam.job.IResolveArtifactsRequest, context: CallContext): Promise<beam.job.IResolveArtifactsResponse>;

  /**
   * The artifact's bytes in chunks of any size; the end of the stream is the end of the artifact. What is asked for is told by its
   * type alone: callers may change the role. Fails with NOT_FOUND before the first chunk.
   */
  getArtifact(request: beam.job.IGetArtifactRequest, context: CallContext): AsyncIterable<beam.job.IGetArtifactResponse>;
}
