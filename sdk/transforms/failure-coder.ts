import type { Coder } from "../../portability/coders/index.js";
import { anyValue } from "./element-coder.js";
import type { Failure } from "./with-failures.js";

/** A failure with its element in the element's own coder, and the rest as plain values. */
export function failureCoder(element: Coder<unknown>): Coder<unknown> {
  const coder: Coder<Failure<unknown>> = {
    urn: "beamstorm:coder:failure:v1",
    components: [element],
    deterministic: false,
    encode({ element: value, ...rest }, writer, nested) {
      element.encode(value, writer, true);
      anyValue.encode(rest, writer, nested);
    },
    decode(reader, nested) {
      const value = element.decode(reader, true);
      return { element: value, ...(anyValue.decode(reader, nested) as Omit<Failure<unknown>, "element">) };
    },
  };
  return coder as Coder<unknown>;
}
