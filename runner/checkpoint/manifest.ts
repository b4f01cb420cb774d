// The manifest of an epoch: all that has to be known to go on from it. A file of one line of JSON and one with its CRC-32.
import { crc32 } from "node:zlib";
import type { Timestamp } from "../../portability/values/index.js";
import type { PieceRef } from "./piece-file.js";

/** A piece, and the epoch of which it is. */
export interface ManifestPiece extends PieceRef {
  readonly epoch: number;
}

/** A task at its barrier. */
export interface TaskMark {
  readonly id: string;
  readonly inputWatermark: Timestamp;
  /** Whether nothing more will come of it. */
  readonly isDone: boolean;
}

/** A component of the topology. */
export interface ComponentMark {
  readonly id: string;
  readonly parallelism: number;
  /** Pieces of earlier epochs say nothing of what its tasks keep besides keys: it has had another number of tasks since. */
  readonly since: number;
}

/** Of this file, and of the pieces: another one is neither read nor passed over. */
export const MANIFEST_VERSION = 2;

export interface Manifest {
  readonly version: typeof MANIFEST_VERSION;
  /** Of the pipeline: another one cannot go on from here. */
  readonly fingerprint: string;
  readonly epoch: number;
  readonly generation: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly keyGroups: number;
  readonly components: readonly ComponentMark[];
  readonly tasks: readonly TaskMark[];
  /** In the order in which they are to be read. */
  readonly pieces: readonly ManifestPiece[];
  /** Whether the job was over. */
  readonly isLast: boolean;
  /** What tasks had counted; the business of whoever runs them. */
  readonly counts: unknown;
}

/** A manifest cannot be read. */
export class CorruptManifestError extends Error {
  override readonly name = "CorruptManifestError";
}

/** A manifest is whole, and was written by another version of this program. */
export class ManifestVersionError extends Error {
  override readonly name = "ManifestVersionError";
}

export function encodeManifest(manifest: Manifest): string {
  const line = JSON.stringify(manifest);
  return `${line}\n${crc32(line).toString(16)}\n`;
}

/** @throws CorruptManifestError, ManifestVersionError */
export function decodeManifest(text: string): Manifest {
  const [line, crc] = text.split("\n");
  if (crc === undefined || crc32(line).toString(16) !== crc) throw new CorruptManifestError("it does not fit its checksum");
  const manifest = JSON.parse(line) as Manifest; // as it was written, by the checksum
  if (manifest.version !== MANIFEST_VERSION)
    throw new ManifestVersionError(`it is of version ${String(manifest.version)}, where this program knows ${String(MANIFEST_VERSION)}`);
  return manifest;
}
