// What avsc is asked to encode and decode. Three things are put to it otherwise than they stand in the file, none of which changes a byte:
// longs are bigints, which are exact; maps are arrays of entries, whose keys may then be anything; defaults, which are for readers, are left out.
import { createRequire } from "node:module";
import type * as Avsc from "avsc";
import type { AvroSchema } from "./avro-schema.js";

type Library = typeof Avsc;

let loaded: Library | undefined;

/** Loaded when first needed: most pipelines never are. */
function avsc(): Library {
  return (loaded ??= createRequire(import.meta.url)("avsc") as Library);
}

/** @throws Error for what is no schema */
export function avscType(schema: AvroSchema): Avsc.Type {
  const { Type, types } = avsc();
  const long = types.LongType.__with(
    {
      fromBuffer: bigintOf,
      toBuffer: varintOf,
      isValid: (value: unknown) => typeof value === "bigint",
      compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
      fromJSON: BigInt,
      toJSON: String,
    },
    true,
  );
  let entries = 0;
  const options = { registry: { long }, omitRecordMethods: true };
  return Type.forSchema(plain(schema) as Avsc.Type, options);

  function plain(node: AvroSchema): unknown {
    if (typeof node === "string") return node;
    if (Array.isArray(node)) return node.map(plain);
    const { type, ...rest } = node as Readonly<Record<string, unknown>>;
    if (type === "map") {
      const fields = [
        { name: "key", type: "string" },
        { name: "value", type: plain(rest["values"] as AvroSchema) },
      ];
      return { type: "array", items: { type: "record", name: `Entry__${entries++}`, fields } };
    }
    if (type === "array") return { type, items: plain(rest["items"] as AvroSchema) };
    if (type === "record" || type === "error") {
      const fields = rest["fields"] as readonly { name: string; type: AvroSchema }[];
      return { ...rest, type, fields: fields.map((field) => ({ name: field.name, type: plain(field.type) })) };
    }
    return type === "enum" || type === "fixed" ? { ...rest, type } : plain(type as AvroSchema);
  }
}

/** Of a zigzag varint. Numbers are exact up to seven bytes of seven bits. */
function bigintOf(varint: Uint8Array): bigint {
  if (varint.length <= 7) {
    let sum = 0;
    for (let i = 0, factor = 1; i < varint.length; i++, factor *= 128) sum += (varint[i] & 0x7f) * factor;
    return BigInt(sum % 2 === 0 ? sum / 2 : -(sum + 1) / 2);
  }
  let sum = 0n;
  for (let i = varint.length - 1; i >= 0; i--) sum = (sum << 7n) | BigInt(varint[i] & 0x7f);
  return BigInt.asIntN(64, (sum >> 1n) ^ -(sum & 1n));
}

export function varintOf(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(10);
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  let length = 0;
  for (; rest > 0x7fn; rest >>= 7n) bytes[length++] = Number(rest & 0x7fn) | 0x80;
  bytes[length++] = Number(rest);
  return bytes.subarray(0, length);
}
