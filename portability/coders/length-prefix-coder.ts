import type { Coder } from "./coder.js";

/** `beam:coder:length_prefix:v1`: varint length, then the value in the outermost context. */
export function lengthPrefixCoder<T>(value: Coder<T>): Coder<T> {
  return {
    urn: "beam:coder:length_prefix:v1",
    components: [value as Coder<unknown>],
    deterministic: value.deterministic,
    encode: (element, writer) => writer.writeLengthPrefixed(() => value.encode(element, writer, false)),
    decode(reader) {
      const length = reader.readLength();
      const inner = reader.slice(length);
      const element = value.decode(inner, false);
      if (inner.remaining > 0) inner.fail(`${inner.remaining} bytes left over in a length-prefixed value`);
      return element;
    },
  };
}

