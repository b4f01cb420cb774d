import type { Coder } from "./coder.js";

/**
 * `beam:coder:length_prefix:v1`: varint length, then that many bytes: the value in the outermost context. The same in both
 * contexts. A value that does not use all of its bytes is a CoderError.
 *
 * @example
 * ```ts
 * const coder = lengthPrefixCoder(utf8Coder);
 * const writer = new ByteWriter();
 * coder.encode("to be", writer, true);
 * const same = coder.decode(new ByteReader(writer.toBytes()), true);
 * ```
 */
export function lengthPrefixCoder<T>(value: Coder<T>): Coder<T> {
  return {
    urn: "beam:coder:length_prefix:v1",
    components: [value as Coder<unknown>],
    deterministic: value.deterministic,
    encode(element, writer) {
      const start = writer.beginLengthPrefixed();
      value.encode(element, writer, false);
      writer.endLengthPrefixed(start);
    },
    decode(reader) {
      const outer = reader.beginRegion(reader.readLength());
      const element = value.decode(reader, false);
      reader.endRegion(outer);
      return element;
    },
  };
}
