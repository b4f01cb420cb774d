// Files that clients stage for the workers of their jobs, in a folder of their own for each job.
//
// F1. Names come from clients and are never trusted: a file is named by its number, with a readable rest of safe characters.
// F2. Only what was staged here can be read again.
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beam } from "../../portability/protos/index.js";
import { ServiceError } from "../../portability/services/index.js";
import { ARTIFACT_ROLE, ARTIFACT_TYPE } from "../../portability/urns/index.js";

type Artifact = beam.pipeline.IArtifactInformation;

export class ArtifactStore {
  private readonly files = new Set<string>();
  private count = 0;

  private constructor(private readonly folder: string) {}

  static async open(): Promise<ArtifactStore> {
    return new ArtifactStore(await mkdtemp(join(tmpdir(), "beamstorm-artifacts-")));
  }

  /** Keeps what the chunks make up; the artifact as workers should ask for it. */
  async stage(jobId: string, artifact: Artifact, chunks: AsyncIterable<Uint8Array>): Promise<Artifact> {
    const folder = join(this.folder, safe(jobId));
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${++this.count}-${safe(nameOf(artifact))}`); // F1
    const file = await open(path, "wx");
    try {
      for await (const chunk of chunks) await file.write(chunk);
    } finally {
      await file.close();
    }
    this.files.add(path);
    const typePayload = beam.pipeline.ArtifactFilePayload.encode({ path }).finish();
    return { ...artifact, typeUrn: ARTIFACT_TYPE.FILE, typePayload };
  }

  /** @throws ServiceError NOT_FOUND (F2) */
  async *read({ typeUrn, typePayload }: Artifact): AsyncGenerator<Uint8Array> {
    const path = typeUrn === ARTIFACT_TYPE.FILE ? beam.pipeline.ArtifactFilePayload.decode(typePayload ?? new Uint8Array(0)).path : "";
    if (!this.files.has(path)) throw new ServiceError("NOT_FOUND", `there is no staged artifact "${path}"`);
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) yield chunk as Buffer;
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

function nameOf({ roleUrn, rolePayload }: Artifact): string {
  if (roleUrn !== ARTIFACT_ROLE.STAGING_TO) return "artifact";
  return beam.pipeline.ArtifactStagingToRolePayload.decode(rolePayload ?? new Uint8Array(0)).stagedName;
}

const safe = (name: string): string =>
  name
    .replaceAll(/[^A-Za-z0-9._-]/g, "_")
    .replace(/^\.+/, "_")
    .slice(-80) || "artifact";
