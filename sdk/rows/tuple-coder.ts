import type { Coder } from "../../portability/coders/index.js";
import { anyValue } from "../transforms/element-coder.js";

/** Arrays of a fixed length, each item by a coder of its own; any plain value where there is none. */
export function tupleCoder(items: readonly (Coder<unknown> | undefined)[]): Coder<unknown[]> {
  const components = items.map((coder) => coder ?? anyValue);
  return {
    urn: "beamstorm:coder:tuple:v1",
    components,
    deterministic: components.every(({ deterministic }) => deterministic),
    encode(values, writer) {
      for (let i = 0; i < components.length; i++) components[i].encode(values[i], writer, true);
    },
    decode: (reader) => components.map((coder) => coder.decode(reader, true)),
  };
}
