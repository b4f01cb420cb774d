// `beam:coder:row:v1`: varint number of fields; null bitmap as varint length and bytes; then each field that is not null, nested, in
// encoding order. Bit i & 7 of byte i >> 3 is 1 where field i of the schema is null; no bitmap at all means that none is, and so do
// bytes missing at its end. A row of a schema with static encoding has its fields alone.
import type { ByteReader } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";
import type { Coder } from "./coder.js";
import { CoderError } from "./coder-error.js";
import { wrongValue } from "./wrong-value.js";

/** One field, ready to be encoded. `coder` is that of values that are not null. */
export interface RowField {
  readonly name: string;
  readonly nullable: boolean;
  readonly coder: Coder<unknown>;
  /** Place among the encoded fields. */
  readonly position: number;
}

type Row = Record<string, unknown>;

const NO_NULLS: Uint8Array = new Uint8Array();

/**
 * Encodes rows as objects with a property for each field. Undefined is written as null.
 *
 * @example
 * ```ts
 * const coder = coderOf(schema.row({ user: schema.string }));
 * console.log(coder instanceof RowCoder);
 * ```
 */
export class RowCoder<T = Readonly<Row>> implements Coder<T> {
  readonly urn = "beam:coder:row:v1";
  readonly components: readonly Coder<unknown>[] = [];
  readonly deterministic: boolean;
  /** Indices of the fields in the order in which they are encoded. */
  private readonly order: readonly number[];
  private readonly encoded: readonly RowField[];
  /** All properties in the order of the schema: its copies share one shape, and are made faster than property by property. */
  private readonly blank: Readonly<Row>;

  constructor(
    private readonly fields: readonly RowField[],
    /** The schema as a message. */
    readonly payload: Uint8Array,
    /** Leaves out field count and bitmap (Java's static encoding). */
    private readonly staticEncoding = false,
  ) {
    if (fields.some(({ name }) => name === "__proto__")) throw new CoderError('a field of a row cannot be called "__proto__"');
    if (new Set(fields.map(({ name }) => name)).size < fields.length) throw new CoderError("two fields of a row have the same name");
    this.deterministic = fields.every(({ coder }) => coder.deterministic);
    this.order = fields.map((_, i) => i).sort((a, b) => fields[a].position - fields[b].position);
    this.encoded = this.order.map((i) => fields[i]);
    this.blank = Object.fromEntries(fields.map(({ name }) => [name, null]));
  }

  /** @throws CoderError for null in a field that is not nullable, and for a value that the type of its field does not have */
  encode(row: T, writer: ByteWriter): void {
    if (typeof row !== "object" || row === null) wrongValue("a row", row);
    const values = row as Row;
    const { encoded } = this;
    if (!this.staticEncoding) writer.writeVarint(encoded.length);
    this.writeNulls(values, writer);
    for (let p = 0; p < encoded.length; p++) {
      const { name, coder } = encoded[p];
      const value = values[name];
      if (value !== null && value !== undefined) coder.encode(value, writer, true);
    }
  }

  /** Fields that the writer's schema did not have are null; those that this one lacks can only be skipped where the row is outermost. */
  decode(reader: ByteReader, nested: boolean): T {
    const { fields, order, encoded } = this;
    const row: Row = { ...this.blank };
    let count = fields.length;
    let nulls: Uint8Array = NO_NULLS;
    let surplus = false;
    if (!this.staticEncoding) {
      count = reader.readVarint();
      surplus = count > fields.length;
      if (count < 0 || (surplus && nested)) reader.fail(`a row of ${count} fields, where the schema has ${fields.length}`);
      const length = reader.readLength();
      if (length > 0) nulls = reader.readBytes(length);
    }
    for (let p = 0; p < encoded.length && p < count; p++)
      if (nulls === NO_NULLS || !isNull(nulls, order[p])) row[encoded[p].name] = encoded[p].coder.decode(reader, true);
    if (surplus) reader.skip(reader.remaining);
    return row as T;
  }

  private writeNulls(row: Row, writer: ByteWriter): void {
    const { fields } = this;
    let last = -1;
    for (let i = 0; i < fields.length; i++) {
      const value = row[fields[i].name];
      if (value !== null && value !== undefined) continue;
      if (!fields[i].nullable || this.staticEncoding) throw nullRefused(fields[i].name, value);
      last = i;
    }
    if (this.staticEncoding) return;
    writer.writeVarint((last + 8) >> 3);
    for (let byte = 0; byte << 3 <= last; byte++) {
      let bits = 0;
      for (let i = byte << 3; i < fields.length && i < (byte << 3) + 8; i++) if (row[fields[i].name] == null) bits |= 1 << (i & 7);
      writer.writeByte(bits);
    }
  }
}

function isNull(nulls: Uint8Array, i: number): boolean {
  return i >> 3 < nulls.length && (nulls[i >> 3] & (1 << (i & 7))) !== 0;
}

function nullRefused(name: string, value: unknown): CoderError {
  return new CoderError(`field "${name}" of a row is ${String(value)}, which its schema does not allow`);
}
