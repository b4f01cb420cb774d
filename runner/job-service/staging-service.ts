import type { beam } from "../../portability/protos/index.js";
import { ServiceError, type ArtifactStagingService } from "../../portability/services/index.js";
import type { ArtifactStore } from "./artifact-store.js";

/** Environments whose files wait to be staged. */
export interface StagingSession {
  readonly jobId: string;
  readonly environments: ReadonlyMap<string, readonly beam.pipeline.IArtifactInformation[]>;
  /** Takes the dependencies of an environment once they are here. */
  staged(environmentId: string, dependencies: readonly beam.pipeline.IArtifactInformation[]): void;
  /** They will not come: the client has gone, or has sent what it may not. */
  failed(error: Error): void;
}

type Responses = AsyncIterator<beam.job.IArtifactResponseWrapper>;

/** Asks clients for the files of their jobs, one after the other. A session is over with its stream, however that ends. */
export class StagingService implements ArtifactStagingService {
  private readonly sessions = new Map<string, StagingSession>();

  constructor(private readonly store: ArtifactStore) {}

  open(token: string, session: StagingSession): void {
    this.sessions.set(token, session);
  }

  /** What was not staged until now is not going to be. */
  close(jobId: string): void {
    for (const [token, session] of this.sessions) if (session.jobId === jobId) this.sessions.delete(token);
  }

  async *reverseArtifactRetrievalService(
    responses: AsyncIterable<beam.job.IArtifactResponseWrapper>,
  ): AsyncGenerator<beam.job.IArtifactRequestWrapper> {
    const answers = responses[Symbol.asyncIterator]();
    const { stagingToken } = await next(answers);
    const session = this.sessions.get(stagingToken ?? "");
    if (session === undefined) throw new ServiceError("INVALID_ARGUMENT", "the staging token is not that of a prepared job");
    this.sessions.delete(stagingToken ?? "");
    let isComplete = false;
    let failure: unknown;
    try {
      yield* this.stageAll(session, answers);
      isComplete = true;
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      // Also where the stream is given up, and nothing throws.
      if (!isComplete) session.failed(failure instanceof Error ? failure : new Error("the client has gone before everything was staged"));
    }
  }

  private async *stageAll(session: StagingSession, answers: Responses): AsyncGenerator<beam.job.IArtifactRequestWrapper> {
    for (const [environmentId, artifacts] of session.environments) {
      yield { resolveArtifact: { artifacts: [...artifacts], preferredUrns: [] } };
      const { resolveArtifactResponse } = await next(answers);
      if (!resolveArtifactResponse)
        throw new ServiceError("INVALID_ARGUMENT", "a request to resolve artifacts was answered with something else");
      const dependencies: beam.pipeline.IArtifactInformation[] = [];
      for (const artifact of resolveArtifactResponse.replacements ?? []) {
        yield { getArtifact: { artifact } };
        dependencies.push(await this.store.stage(session.jobId, artifact, chunksOf(answers)));
      }
      session.staged(environmentId, dependencies);
    }
  }
}

/** The answers to one `getArtifact`. */
async function* chunksOf(answers: Responses): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { getArtifactResponse, isLast } = await next(answers);
    if (getArtifactResponse?.data?.length) yield getArtifactResponse.data;
    if (isLast) return;
  }
}

async function next(answers: Responses): Promise<beam.job.IArtifactResponseWrapper> {
  const { done, value } = await answers.next();
  if (done === true) throw new ServiceError("INVALID_ARGUMENT", "the stream has ended before everything was staged");
  return value;
}
