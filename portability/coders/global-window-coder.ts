import { GlobalWindow } from "../values/index.js";
import type { Coder } from "./coder.js";

/**
 * `beam:coder:global_window:v1`: no bytes.
 *
 * @example
 * ```ts
 * const writer = new ByteWriter();
 * globalWindowCoder.encode(GlobalWindow.instance, writer, true);
 * const same = globalWindowCoder.decode(new ByteReader(writer.toBytes()), true);
 * ```
 */
export const globalWindowCoder: Coder<GlobalWindow> = {
  urn: "beam:coder:global_window:v1",
  components: [],
  deterministic: true,
  encode() {},
  decode: () => GlobalWindow.instance,
};
