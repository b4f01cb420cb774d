import { createGunzip, createGzip, type Gunzip, type Gzip } from "node:zlib";
import * as zlib from "node:zlib";

/** How a file is compressed. */
export type Compression = "none" | "gzip" | "zstd";

/** By the ending of a file's name: `.gz`, `.zst`. */
export function compressionOf(path: string): Compression {
  return path.endsWith(".gz") ? "gzip" : path.endsWith(".zst") || path.endsWith(".zstd") ? "zstd" : "none";
}

type Transform = Gzip | Gunzip;
/** What newer versions of Node have besides. */
interface Zstd {
  readonly createZstdCompress?: (options?: object) => Transform;
  readonly createZstdDecompress?: (options?: object) => Transform;
}

/** @throws Error where this version of Node cannot */
export function compressor(compression: Exclude<Compression, "none">): Transform {
  return compression === "gzip" ? createGzip() : zstd("createZstdCompress")();
}

/** @throws Error where this version of Node cannot */
export function decompressor(compression: Exclude<Compression, "none">, chunkSize: number): Transform {
  return compression === "gzip" ? createGunzip({ chunkSize }) : zstd("createZstdDecompress")({ chunkSize });
}

function zstd(name: keyof Zstd): (options?: object) => Transform {
  const create = (zlib as Zstd)[name];
  if (create === undefined) throw new Error(`zstd needs Node 22.15 or newer, and this is ${process.version}; use gzip, or another Node`);
  return create;
}
