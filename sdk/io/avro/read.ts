// Reading object container files: a header with the schema, then blocks of records, each closed by the file's sync marker.
import { promisify } from "node:util";
import { crc32, inflateRaw } from "node:zlib";
import { ByteReader } from "../../../portability/coders/index.js";
import type { RowSchema } from "../../../portability/schemas/index.js";
import { FileError } from "../files/file-error.js";
import type { OpenFile, ReadFormat } from "../files/file-format.js";
import { fieldsFromStored } from "../stored/from-stored.js";
import { avscType } from "./avsc-type.js";
import { fromAvroSchema, type AvroSchema } from "./avro-schema.js";
import { ByteSource } from "./byte-source.js";

const inflate = promisify<Buffer, Buffer>(inflateRaw);
const decompress: Readonly<Record<string, (block: Buffer) => Buffer | Promise<Buffer>>> = {
  null: (block) => block,
  deflate: inflate,
  snappy,
};

/** A snappy block begins with its length as a varint; Avro puts a checksum behind it. */
async function snappy(block: Buffer): Promise<Buffer> {
  const { snappyUncompress } = await import("hyparquet");
  const compressed = block.subarray(0, -4);
  const length = new ByteReader(compressed).readVarint();
  // The most that snappy makes of its input: whatever the length says, not more is allocated.
  if (length < 0 || length > compressed.length * 32) throw new RangeError("a snappy block has an impossible length");
  const data = Buffer.alloc(length);
  snappyUncompress(compressed, data);
  if (block.length < 4 || crc32(data) !== block.readUInt32BE(block.length - 4)) throw new RangeError("the checksum of a block is wrong");
  return data;
}

/** The rows of a schema, a block of the file at a time. */
export function avroRows<T>(schema: RowSchema<T>): ReadFormat<T> {
  return {
    access: "stream",
    async *records(file: OpenFile): AsyncGenerator<T[]> {
      const source = new ByteSource(file.blocks());
      try {
        yield* blocks<T>(source, schema);
      } catch (cause) {
        throw cause instanceof FileError
          ? cause
          : new FileError("read", file.path, cause instanceof Error ? cause.message : String(cause), cause);
      } finally {
        await source.close();
      }
    },
  };
}

async function* blocks<T>(source: ByteSource, schema: RowSchema<T>): AsyncGenerator<T[]> {
  const { json, codec, sync } = await header(source);
  const inflated = Object.hasOwn(decompress, codec) ? decompress[codec] : undefined;
  if (inflated === undefined) throw new Error(`its codec is ${codec}; null, deflate and snappy are read`);
  const { type: stored } = fromAvroSchema(json);
  if (stored.kind !== "row") throw new Error("its values are no records");
  const fields = fieldsFromStored(stored.fields, schema.shape, "");
  const type = avscType(json);
  while (!(await source.atEnd())) {
    const block = await corrupt(async () => {
      const count = await source.varint();
      const data = await inflated(await source.take(await source.varint()));
      if (count < 0 || !(await source.take(sync.length)).equals(sync)) throw new RangeError("a block does not end with the sync marker");
      return { count, data };
    });
    yield rows(block.count, block.data);
  }

  function rows(count: number, data: Buffer): T[] {
    const all: T[] = [];
    let position = 0;
    for (let i = 0; i < count; i++) {
      const { value, offset } = decoded(data, position);
      position = offset;
      const row: Record<string, unknown> = {};
      for (const { name, convert } of fields) row[name] = convert(value[name]);
      all.push(row as T);
    }
    if (position !== data.length) throw damaged(`a block has more than its ${count} records`);
    return all;
  }

  function decoded(data: Buffer, position: number): { readonly value: Readonly<Record<string, unknown>>; readonly offset: number } {
    let found: { value: unknown; offset: number };
    try {
      found = type.decode(data, position) as { value: unknown; offset: number };
    } catch (cause) {
      throw damaged(cause);
    }
    if (found.offset < 0) throw damaged("a record goes beyond its block");
    return found as { value: Readonly<Record<string, unknown>>; offset: number };
  }
}

interface Header {
  readonly json: AvroSchema;
  readonly codec: string;
  readonly sync: Buffer;
}

function header(source: ByteSource): Promise<Header> {
  return corrupt(async () => {
    if ((await source.take(4)).toString("latin1") !== "Obj\x01") throw new RangeError("it does not begin as one");
    const meta = new Map<string, Buffer>();
    for (let count = await source.varint(); count !== 0; count = await source.varint()) {
      if (count < 0) await source.varint(); // the size of the block follows
      for (let i = Math.abs(count); i > 0; i--) {
        const key = (await source.take(await source.varint())).toString();
        meta.set(key, await source.take(await source.varint()));
      }
    }
    const json = JSON.parse(meta.get("avro.schema")?.toString() ?? "") as AvroSchema;
    return { json, codec: meta.get("avro.codec")?.toString() ?? "null", sync: await source.take(16) };
  });
}

async function corrupt<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw damaged(cause);
  }
}

/** What went wrong outside the file is no damage of it. */
function damaged(cause: unknown): Error {
  if (cause instanceof FileError) return cause;
  return new Error(`it is damaged, cut off or no Avro file (${cause instanceof Error ? cause.message : String(cause)})`, { cause });
}
