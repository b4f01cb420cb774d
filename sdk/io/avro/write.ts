// Writing object container files.
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { deflateRaw } from "node:zlib";
import type { RowSchema } from "../../../portability/schemas/index.js";
import type { ByteSink, RecordWriter, WriteFormat } from "../files/file-format.js";
import { checkDecimalSize, DEFAULT_DECIMAL, type DecimalSize } from "../stored/decimals.js";
import { toStored } from "../stored/to-stored.js";
import { toAvroSchema } from "./avro-schema.js";
import { avscType, varintOf } from "./avsc-type.js";

/** How records are written. */
export interface AvroFormatOptions {
  /** Compression of blocks; default "deflate". */
  readonly codec?: "null" | "deflate";
  /** Name of the record in the file's schema; default "Row". */
  readonly name?: string;
  /** Size of all decimals; default 38 digits, 9 of them behind the point. A value that it cannot hold exactly is an error. */
  readonly decimal?: DecimalSize;
}

/** Bytes of a block before it is compressed. */
const BLOCK_BYTES = 64 * 1024;

const deflate = promisify<Buffer, Buffer>(deflateRaw);

/** @throws PipelineError at once, for types and names that Avro does not have */
export function avroFormat<T>(schema: RowSchema<T>, options: AvroFormatOptions = {}): WriteFormat<T> {
  const { codec = "deflate", name = "Row", decimal = DEFAULT_DECIMAL } = options;
  checkDecimalSize(decimal);
  const storage = toStored(schema, "", { decimal, decimalBytes: true });
  const json = toAvroSchema(storage, name);
  return {
    parts: "whole",
    suffix: ".avro",
    open(sink) {
      const sync = randomBytes(16);
      const type = avscType(json);
      const blocks = new BlockWriter(sink, header(JSON.stringify(json), codec, sync), codec, sync);
      const encode = (value: unknown, block: Buffer, at: number): number => type.encode(value, block, at);
      return {
        write: (record) => blocks.add(storage.convert(record), encode),
        finish: () => blocks.finish(),
      } satisfies RecordWriter<T>;
    },
  };
}

function header(json: string, codec: string, sync: Buffer): Buffer {
  const entries = Object.entries({ "avro.schema": json, "avro.codec": codec });
  const text = (value: string): Buffer => Buffer.concat([length(Buffer.byteLength(value)), Buffer.from(value)]);
  return Buffer.concat([Buffer.from("Obj\x01", "latin1"), length(entries.length), ...entries.flat().map(text), length(0), sync]);
}

const length = (value: number): Buffer => varintOf(BigInt(value));

/** Gathers records until a block is full. */
class BlockWriter {
  private block = Buffer.allocUnsafe(BLOCK_BYTES);
  private used = 0;
  private count = 0;

  constructor(
    private readonly sink: ByteSink,
    private header: Buffer | undefined,
    private readonly codec: "null" | "deflate",
    private readonly sync: Buffer,
  ) {}

  /** @param encode gives where the value ends, or below 0 when it does not fit: by how many bytes */
  add(value: unknown, encode: (value: unknown, block: Buffer, at: number) => number): void | Promise<void> {
    const end = encode(value, this.block, this.used);
    if (end >= 0) {
      this.used = end;
      this.count++;
      return;
    }
    if (this.count > 0) return this.flush().then(() => this.add(value, encode));
    this.block = Buffer.allocUnsafe(this.block.length - end);
    return this.add(value, encode);
  }

  async finish(): Promise<void> {
    await this.flush();
  }

  private async flush(): Promise<void> {
    if (this.header !== undefined) await this.sink.write(this.header);
    this.header = undefined;
    if (this.count === 0) return;
    const plain = this.block.subarray(0, this.used);
    const data = this.codec === "deflate" ? await deflate(plain) : plain;
    await this.sink.write(Buffer.concat([length(this.count), length(data.length), data, this.sync]));
    this.used = this.count = 0;
  }
}
