// zstd without Node's own: WebAssembly compresses where Node cannot (before 22.15), JavaScript decompresses. Loaded when first needed.
import { createRequire } from "node:module";
import { Transform } from "node:stream";
import type * as Wasm from "@bokuweb/zstd-wasm";
import type * as Fzstd from "fzstd";

/** What is compressed at a time, as a frame of its own: frames one behind the other are a file. */
const FRAME_BYTES = 1024 * 1024;
const LEVEL = 3;

const require = createRequire(import.meta.url);

/** Loaded once: a second time would take the first one's memory away. */
let loading: Promise<typeof Wasm> | undefined;

async function loadWasm(): Promise<typeof Wasm> {
  const wasm = require("@bokuweb/zstd-wasm") as typeof Wasm;
  await wasm.init();
  return wasm;
}

export function portableZstdCompress(): Transform {
  const wasm = (loading ??= loadWasm());
  let pending: Buffer[] = [];
  let size = 0;
  let frames = 0;
  const frame = async (): Promise<Uint8Array> => {
    const { compress } = await wasm;
    const bytes = Buffer.concat(pending);
    pending = [];
    size = 0;
    frames++;
    return Buffer.from(compress(bytes, LEVEL)); // what it gives is memory of its own, used again
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      pending.push(chunk);
      size += chunk.length;
      if (size < FRAME_BYTES) done();
      else frame().then((bytes) => done(null, bytes), done);
    },
    flush(done) {
      if (size === 0 && frames > 0) done();
      else frame().then((bytes) => done(null, bytes), done);
    },
  });
}

export function portableZstdDecompress(): Transform {
  const { Decompress } = require("fzstd") as typeof Fzstd;
  const transform = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      attempt(() => decompress.push(chunk), done);
    },
    flush(done) {
      attempt(() => decompress.push(new Uint8Array(0), true), done);
    },
  });
  const decompress = new Decompress((bytes) => transform.push(Buffer.from(bytes)));
  return transform;
}

function attempt(step: () => void, done: (error?: Error) => void): void {
  try {
    step();
  } catch (cause) {
    return done(cause instanceof Error ? cause : new Error(String(cause)));
  }
  done();
}
