// Checkpoints of one job in a folder.
//
//   job                         a text that tells the job from all others, the same for all of its runs
//   generations/000001          who works here: each run, and each restart within one, has the next number
//   epochs/00000012-000003.json the manifest of epoch 12 of generation 3
//   pieces/…                    what manifests name
//
// D1. A generation begins by creating its file, which fails if it is there: two never have the same number.
// D2. A manifest appears whole, by a rename, when all that it names is on the disk.
// D3. Who has published a manifest looks for later generations afterwards; if there is one, the manifest does not count, and neither does
//     anything else that its generation does: it is *fenced*. A later generation looks for manifests after it has begun. So of two
//     that work at the same time the earlier one knows, before it acts on a manifest, that the later one has seen it, or that it is fenced.
// D4. Which epoch a generation went on from is written into its file: manifests of earlier generations with a greater epoch do not count. One that
//     goes on from none, because what is there cannot be used, writes nothing, so that the next one finds the same.
// D5. A generation deletes nothing of later ones, and of its own pieces only those that a manifest has named: others may be named by the next.
import { randomBytes } from "node:crypto";
import { link, mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Blocks } from "./block-pool.js";
import { crashPoint } from "./crash-points.js";
import { decodeManifest, encodeManifest, ManifestVersionError, type Manifest } from "./manifest.js";
import { PieceReader, PieceWriter } from "./piece-file.js";

/** Manifests that are kept, in case that the last one is damaged. */
const KEPT = 3;

/** Another run of the job has taken over. */
export class FencedError extends Error {
  override readonly name = "FencedError";
}

/** Whether an epoch can be gone on from. */
export interface FoundCheckpoint {
  readonly manifest: Manifest | undefined;
  /** What was found to be damaged, for people. */
  readonly damaged: readonly string[];
}

export class CheckpointFolder {
  /** Pieces of this generation that manifests have named, and that are still there (D5). */
  private readonly named = new Set<string>();

  private constructor(
    readonly path: string,
    readonly generation: number,
    /** Ten letters and digits. */
    readonly job: string,
  ) {}

  /** Begins the next generation (D1). @throws the error of the file system, if the folder cannot be written */
  static async open(path: string): Promise<CheckpointFolder> {
    for (const folder of ["generations", "epochs", "pieces"]) await mkdir(join(path, folder), { recursive: true });
    const job = await jobOf(path);
    for (;;) {
      const generation = (await lastGeneration(path)) + 1;
      try {
        await writeFile(generationFile(path, generation), "", { flag: "wx" });
        return new CheckpointFolder(path, generation, job);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
    }
  }

  /**
   * The last manifest that can be read, whoever works in the folder: a look before a generation begins.
   *
   * @throws the error of the file system, if the folder cannot be read; ManifestVersionError
   */
  static async look(path: string): Promise<Manifest | undefined> {
    for (const { name } of await manifestsIn(path)) {
      const manifest = await readManifest(join(path, "epochs", name)).catch(unlessOfAnotherVersion);
      if (manifest !== undefined) return manifest;
    }
    return undefined;
  }

  /**
   * The last epoch that is there in full (D3).
   *
   * @param isThorough reads all of its pieces; else what is damaged within one is found by who reads it (piece-file.ts P1), who may then ask again
   * @throws ManifestVersionError
   */
  async find(isThorough = true): Promise<FoundCheckpoint> {
    const damaged: string[] = [];
    return { manifest: await this.findLast(damaged, isThorough), damaged };
  }

  /** This generation starts from what {@link find} has found (D4). */
  async goOn(from: Manifest | undefined): Promise<void> {
    await writeFile(generationFile(this.path, this.generation), `${from?.epoch ?? 0}\n`);
  }

  /** D2. @throws FencedError (D3) */
  async publish(manifest: Manifest): Promise<void> {
    try {
      await this.write(manifest);
    } finally {
      await this.checkFence(); // whatever has failed: who is fenced need not know more
    }
  }

  /** Deletes what is not needed any more, now that this manifest is published (D5). To be called for each manifest, in order. */
  async tidy(published: Manifest): Promise<void> {
    for (const { name } of published.pieces) if (originOf(name).generation === this.generation) this.named.add(name);
    const limits = await this.limits();
    const isPast = ({ epoch, generation }: Origin): boolean =>
      generation < this.generation || (generation === this.generation && epoch <= published.epoch);
    const past = (await manifestsIn(this.path)).filter(isPast);
    const kept = past.filter(({ epoch, generation }) => epoch <= Math.min(limits[generation - 1], published.epoch)).slice(0, KEPT);
    const needed = new Set(published.pieces.map(({ name }) => name));
    for (const { name } of kept) for (const piece of await piecesOf(join(this.path, "epochs", name))) needed.add(piece);
    for (const { name } of kept) needed.add(name);
    const isOver = {
      epochs: isPast,
      pieces: ({ generation }: Origin, name: string) => generation < this.generation || this.named.has(name),
    };
    for (const folder of ["epochs", "pieces"] as const)
      for (const name of await readdir(join(this.path, folder))) {
        if (needed.has(name) || !isOver[folder](originOf(name), name)) continue;
        await rm(join(this.path, folder, name), { force: true });
        this.named.delete(name);
        crashPoint("tidying");
      }
  }

  private async write(manifest: Manifest): Promise<void> {
    const path = join(this.path, "epochs", manifestName(manifest));
    const file = await open(`${path}.part`, "w");
    try {
      await file.writeFile(encodeManifest(manifest));
      await file.sync();
    } finally {
      await file.close();
    }
    await syncFolder(join(this.path, "pieces"));
    crashPoint("manifest-complete");
    await rename(`${path}.part`, path);
    crashPoint("manifest-renamed");
    await syncFolder(join(this.path, "epochs"));
  }

  private async checkFence(): Promise<void> {
    if ((await lastGeneration(this.path)) > this.generation) throw new FencedError(`another run of the job has taken over in ${this.path}`);
  }

  private async findLast(damaged: string[], isThorough: boolean): Promise<Manifest | undefined> {
    const limits = await this.limits();
    for (const { name, epoch, generation } of await manifestsIn(this.path)) {
      if (epoch > limits[generation - 1]) continue; // D4
      try {
        const manifest = await readManifest(join(this.path, "epochs", name));
        for (const piece of manifest.pieces) await this.verify(piece, isThorough);
        return manifest;
      } catch (error) {
        unlessOfAnotherVersion(error);
        damaged.push(`epoch ${epoch}: ${(error as Error).message}`);
      }
    }
    return undefined;
  }

  private async verify(piece: Manifest["pieces"][number], isThorough: boolean): Promise<void> {
    const reader = await PieceReader.open(join(this.path, "pieces", piece.name), piece);
    try {
      if (isThorough) await reader.verify();
    } finally {
      await reader.close();
    }
  }

  /** D4 */
  private async limits(): Promise<readonly number[]> {
    const starts: (number | undefined)[] = [];
    for (let generation = 1; generation <= this.generation; generation++) {
      const text = await readFile(generationFile(this.path, generation), "utf8").catch(() => "");
      starts.push(/^\d+\n$/.test(text) ? Number(text) : undefined);
    }
    return epochLimits(starts);
  }
}

/**
 * D4: the last epoch that counts of each generation.
 *
 * @param starts which epoch each has gone on from, the first generation's first; undefined while it has not told
 */
export function epochLimits(starts: readonly (number | undefined)[]): readonly number[] {
  const limits: number[] = [];
  let limit = Infinity;
  for (let i = starts.length - 1; i >= 0; i--) {
    limits[i] = limit;
    limit = Math.min(limit, starts[i] ?? Infinity);
  }
  return limits;
}

/** A piece in the making, in whatever process; the name says who writes it, of all that write for the epoch. */
export function newPiece(folder: string, epoch: number, generation: number, name: string, blocks?: Blocks): PieceWriter {
  return new PieceWriter(pieceFile(folder, epoch, generation, name), blocks);
}

/** What a {@link newPiece} has come to, if its writer is no more. */
export async function removePiece(folder: string, epoch: number, generation: number, name: string): Promise<void> {
  const path = pieceFile(folder, epoch, generation, name);
  await rm(path, { force: true });
  await rm(PieceWriter.temporaryOf(path), { force: true });
}

/** Reads pieces of a checkpoint folder, in whatever process. */
export function openPiece(folder: string, piece: Manifest["pieces"][number]): Promise<PieceReader> {
  return PieceReader.open(join(folder, "pieces", piece.name), piece);
}

/** By whom, and of which epoch, a file is; NaN for one that is nobody's. */
interface Origin {
  readonly epoch: number;
  readonly generation: number;
}

function originOf(name: string): Origin {
  const [, epoch, generation] = /^(\d{8})-(\d{6})[-.]/.exec(name) ?? [];
  return { epoch: Number(epoch), generation: Number(generation) };
}

/** The last ones first. */
async function manifestsIn(path: string): Promise<readonly (Origin & { readonly name: string })[]> {
  const names = (await readdir(join(path, "epochs")).catch(noneIfMissing)).filter((name) => /^\d{8}-\d{6}\.json$/.test(name));
  return names
    .sort()
    .reverse()
    .map((name) => ({ name, ...originOf(name) }));
}

/** To go on from what is before it would do again what is done: that is no damage, and nobody's to pass over. */
function unlessOfAnotherVersion(error: unknown): undefined {
  if (error instanceof ManifestVersionError) throw error;
}

function noneIfMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code === "ENOENT") return [];
  throw error;
}

async function readManifest(path: string): Promise<Manifest> {
  return decodeManifest(await readFile(path, "utf8"));
}

/** The one that is there, or a new one; it appears whole, and never changes. What others have left of theirs, who died over it, is deleted. */
async function jobOf(path: string): Promise<string> {
  const file = join(path, "job");
  const part = `${file}.${randomBytes(5).toString("hex")}.part`;
  await writeFile(part, `${randomBytes(5).toString("hex")}\n`);
  crashPoint("job-named");
  try {
    await link(part, file);
  } catch (error) {
    // ENOENT: somebody else has named it, and deleted this one.
    if (!["EEXIST", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
  for (const name of await readdir(path)) if (/^job\.[0-9a-f]+\.part$/.test(name)) await rm(join(path, name), { force: true });
  return (await readFile(file, "utf8")).trim();
}

async function piecesOf(manifestPath: string): Promise<readonly string[]> {
  try {
    return (await readManifest(manifestPath)).pieces.map(({ name }) => name);
  } catch {
    return []; // damaged: nobody will go on from it
  }
}

async function lastGeneration(path: string): Promise<number> {
  const names = await readdir(join(path, "generations"));
  return names.reduce((last, name) => (/^\d{6}$/.test(name) ? Math.max(last, Number(name)) : last), 0);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const pieceFile = (folder: string, epoch: number, generation: number, name: string): string =>
  join(folder, "pieces", `${padded(epoch, 8)}-${padded(generation, 6)}-${name}.piece`);
const generationFile = (path: string, generation: number): string => join(path, "generations", padded(generation, 6));
const manifestName = ({ epoch, generation }: Manifest): string => `${padded(epoch, 8)}-${padded(generation, 6)}.json`;
const padded = (n: number, digits: number): string => String(n).padStart(digits, "0");
