// The elements of the Fn API's measurement, as they travel: 16 bytes in the global window.
import { ByteWriter, globalWindowCoder, WindowedValueCoder } from "../../portability/coders/index.js";
import { IMPULSE_META } from "../../portability/values/index.js";
import { rawCoder } from "../../runner/bundles/raw-coder.js";

export const CODERS = {
  bytes: { spec: { urn: "beam:coder:bytes:v1" } },
  window: { spec: { urn: "beam:coder:global_window:v1" } },
};
const coder = new WindowedValueCoder(rawCoder("bytes", CODERS), globalWindowCoder);

/** A value as the runner has it: its length and its characters. */
export const valueOf = (text: string): string => String.fromCharCode(text.length) + text;

export function encoded(value: string): Uint8Array {
  const writer = new ByteWriter();
  coder.encodeParts(value, IMPULSE_META, writer);
  return writer.toBytes();
}

export const VALUE = valueOf("0123456789abcdef");
export const ELEMENT_BYTES = encoded(VALUE).length;

/** The text of the value that some encoded elements begin with. */
export function firstText(bytes: Uint8Array): string {
  const start = ELEMENT_BYTES - VALUE.length;
  return Buffer.from(bytes.subarray(start + 1, start + 1 + bytes[start])).toString("latin1");
}
