import type { Coder } from "./coder.js";
import { wrongValue } from "./wrong-value.js";

/** A value of one of several kinds, and which. */
export type Tagged = readonly [kind: number, value: unknown];

/**
 * `[kind, value]`, the value by the coder of its kind: a varint and the value's nested encoding.
 *
 * @example
 * ```ts
 * const coder = unionCoder([utf8Coder, varintCoder]);
 * const writer = new ByteWriter();
 * coder.encode([1, 300], writer, true);
 * const same = coder.decode(new ByteReader(writer.toBytes()), true);
 * ```
 */
export function unionCoder(kinds: readonly Coder<unknown>[]): Coder<Tagged> {
  return {
    urn: "beamstorm:coder:union:v1",
    components: kinds,
    deterministic: kinds.every(({ deterministic }) => deterministic),
    encode(tagged, writer, nested) {
      if (!Array.isArray(tagged) || !(tagged[0] in kinds)) wrongValue(`a pair of a kind below ${kinds.length} and a value`, tagged);
      writer.writeVarint(tagged[0]);
      kinds[tagged[0]].encode(tagged[1], writer, nested);
    },
    decode(reader, nested) {
      const kind = reader.readVarint();
      if (!(kind in kinds)) reader.fail(`kind ${kind} of a union of ${kinds.length}`);
      return [kind, kinds[kind].decode(reader, nested)];
    },
  };
}
