// Files that clients stage for the workers of their jobs, in a folder of their own for each job.
//
// F1. Names come from clients and are never trusted: a file is named by its number, with a readable rest of safe characters.
// F2. Only what was staged here can be read again.
// F3. What a job stages, and what all of them do, is bounded in bytes and in files; a file that was not staged whole is removed.
import { createReadStream } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beam } from "../../portability/protos/index.js";
import { ServiceError } from "../../portability/services/index.js";
import { ARTIFACT_ROLE, ARTIFACT_TYPE } from "../../portability/urns/index.js";
import { makeProcessFolder } from "../store/index.js";
import { decoded } from "./decoded.js";

type Artifact = beam.pipeline.IArtifactInformation;

export interface ArtifactLimits {
  /** Bytes that one job may stage. */
  readonly jobBytes: number;
  /** Bytes that all jobs may have staged at a time. */
  readonly totalBytes: number;
  /** Files that one job may stage. */
  readonly jobFiles: number;
}

const DEFAULT_LIMITS: ArtifactLimits = { jobBytes: 4 * 2 ** 30, totalBytes: 16 * 2 ** 30, jobFiles: 10_000 };

/** What a job has staged. */
interface Staged {
  readonly folder: string;
  readonly files: Set<string>;
  bytes: number;
}

export class ArtifactStore {
  private readonly jobs = new Map<string, Staged>();
  private bytes = 0;
  private count = 0;

  private constructor(
    private readonly folder: string,
    private readonly limits: ArtifactLimits,
  ) {}

  static open(limits: Partial<ArtifactLimits> = {}): ArtifactStore {
    return new ArtifactStore(makeProcessFolder(tmpdir(), "artifacts"), { ...DEFAULT_LIMITS, ...limits });
  }

  /**
   * Keeps what the chunks make up; the artifact as workers should ask for it.
   * @throws ServiceError RESOURCE_EXHAUSTED (F3), INVALID_ARGUMENT
   */
  async stage(jobId: string, artifact: Artifact, chunks: AsyncIterable<Uint8Array>): Promise<Artifact> {
    const job = this.stagedBy(jobId);
    const { jobFiles } = this.limits;
    if (job.files.size >= jobFiles) throw new ServiceError("RESOURCE_EXHAUSTED", `job "${jobId}" stages more than ${jobFiles} files`);
    const name = safe(nameOf(artifact));
    await mkdir(job.folder, { recursive: true });
    const path = join(job.folder, `${++this.count}-${name}`); // F1
    const before = job.bytes;
    const file = await open(path, "wx");
    try {
      for await (const chunk of chunks) {
        this.take(jobId, job, chunk.length);
        await file.write(chunk);
      }
    } catch (error) {
      this.bytes -= job.bytes - before;
      job.bytes = before;
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    job.files.add(path);
    const typePayload = beam.pipeline.ArtifactFilePayload.encode({ path }).finish();
    return { ...artifact, typeUrn: ARTIFACT_TYPE.FILE, typePayload };
  }

  /** @throws ServiceError NOT_FOUND (F2) */
  async *read({ typeUrn, typePayload }: Artifact): AsyncGenerator<Uint8Array> {
    const payload = typePayload ?? new Uint8Array(0);
    const path =
      typeUrn === ARTIFACT_TYPE.FILE ? decoded("the artifact's type", () => beam.pipeline.ArtifactFilePayload.decode(payload)).path : "";
    if (![...this.jobs.values()].some(({ files }) => files.has(path)))
      throw new ServiceError("NOT_FOUND", `there is no staged artifact "${path.slice(0, 200)}"`);
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) yield chunk as Buffer;
  }

  /** Removes what a job has staged. */
  async release(jobId: string): Promise<void> {
    const job = this.jobs.get(jobId);
    if (job === undefined) return;
    this.jobs.delete(jobId);
    this.bytes -= job.bytes;
    await rm(job.folder, { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  private stagedBy(jobId: string): Staged {
    let job = this.jobs.get(jobId);
    if (job === undefined) this.jobs.set(jobId, (job = { folder: join(this.folder, safe(jobId)), files: new Set(), bytes: 0 }));
    return job;
  }

  /** F3 */
  private take(jobId: string, job: Staged, bytes: number): void {
    const { jobBytes, totalBytes } = this.limits;
    if (job.bytes + bytes > jobBytes)
      throw new ServiceError(
        "RESOURCE_EXHAUSTED",
        `job "${jobId}" stages more than ${jobBytes} bytes; leave out what its workers do not need`,
      );
    if (this.bytes + bytes > totalBytes)
      throw new ServiceError(
        "RESOURCE_EXHAUSTED",
        `the jobs of this server have staged ${totalBytes} bytes; try again when some of them are over`,
      );
    job.bytes += bytes;
    this.bytes += bytes;
  }
}

function nameOf({ roleUrn, rolePayload }: Artifact): string {
  if (roleUrn !== ARTIFACT_ROLE.STAGING_TO) return "artifact";
  const payload = rolePayload ?? new Uint8Array(0);
  return decoded("the artifact's role", () => beam.pipeline.ArtifactStagingToRolePayload.decode(payload)).stagedName;
}

const safe = (name: string): string =>
  name
    .slice(-200)
    .replaceAll(/[^A-Za-z0-9._-]/g, "_")
    .replace(/^\.+/, "_")
    .slice(-80) || "artifact";
