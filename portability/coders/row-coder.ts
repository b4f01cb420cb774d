// `beam:coder:row:v1`: varint number of fields, null bitmap as nested bytes, then each field that is not null, nested, in
// encoding order. Bit i of the bitmap is field i of the schema; missing bytes mean "not null".
import type { ByteReader } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";
import type { Coder } from "./coder.js";
import { CoderError } from "./coder-error.js";

/** One field, ready to be encoded. `coder` is that of values that are not null. */
export interface RowField {
  readonly name: string;
  readonly nullable: boolean;
  readonly coder: Coder<unknown>;
  /** Place among the encoded fields. */
  readonly position: number;
}

/** Most fields that a row may claim: a bound for what a hostile count costs. */
const MAX_FIELDS = 100_000;

export class RowCoder implements Coder<Readonly<Record<string, unknown>>> {
  readonly urn = "beam:coder:row:v1";
  readonly components: readonly Coder<unknown>[] = [];
  readonly deterministic: boolean;
  /** Indices of the fields in the order in which they are encoded. */
  private readonly order: readonly number[];

  constructor(
    private readonly fields: readonly RowField[],
    /** The schema as a message. */
    readonly payload: Uint8Array,
    /** Leaves out field count and bitmap (Java's static encoding). */
    private readonly staticEncoding = false,
  ) {
    this.deterministic = fields.every(({ coder }) => coder.deterministic);
    this.order = fields.map((_, i) => i).sort((a, b) => fields[a].position - fields[b].position);
  }

  encode(row: Readonly<Record<string, unknown>>, writer: ByteWriter): void {
    if (row === null || typeof row !== "object") throw new CoderError(`expected a row, got ${row === null ? "null" : typeof row}`);
    if (!this.staticEncoding) {
      writer.writeVarint(this.fields.length);
      this.writeBitmap(row, writer);
    }
    for (const i of this.order) {
      const { name, coder } = this.fields[i];
      const value = row[name];
      if (value !== null && value !== undefined) coder.encode(value, writer, true);
    }
  }

  decode(reader: ByteReader, nested: boolean): Readonly<Record<string, unknown>> {
    const row: Record<string, unknown> = {};
    let count = this.fields.length;
    let bitmap: Uint8Array = new Uint8Array();
    if (!this.staticEncoding) {
      count = reader.readVarint();
      if (count < 0 || count > MAX_FIELDS) reader.fail(`a row of ${count} fields`);
      bitmap = reader.readBytes(reader.readLength());
      if (count > this.fields.length) {
        if (nested) reader.fail(`the row has ${count} fields, the schema ${this.fields.length}: where the row ends cannot be told`);
        count = this.fields.length;
      }
    }
    for (const { name } of this.fields) row[name] = null;
    for (const i of this.order) {
      if (i >= count || isNull(bitmap, i)) continue;
      row[this.fields[i].name] = this.fields[i].coder.decode(reader, true);
    }
    return row;
  }

  private writeBitmap(row: Readonly<Record<string, unknown>>, writer: ByteWriter): void {
    const bitmap: number[] = [];
    for (let i = 0; i < this.fields.length; i++) {
      const { name, nullable } = this.fields[i];
      const value = row[name];
      if (value !== null && value !== undefined) continue;
      if (!nullable) throw new CoderError(`field "${name}" of a row is ${String(value)}, but the schema does not allow null there`);
      while (bitmap.length <= i >> 3) bitmap.push(0);
      bitmap[i >> 3] |= 1 << (i & 7);
    }
    writer.writeVarint(bitmap.length);
    for (const byte of bitmap) writer.writeByte(byte);
  }
}

function isNull(bitmap: Uint8Array, i: number): boolean {
  return i >> 3 < bitmap.length && (bitmap[i >> 3] & (1 << (i & 7))) !== 0;
}
