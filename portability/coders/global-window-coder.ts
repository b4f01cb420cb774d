import { GlobalWindow } from "../values/index.js";
import type { Coder } from "./coder.js";

/** `beam:coder:global_window:v1`: no bytes. */
export const globalWindowCoder: Coder<GlobalWindow> = {
  urn: "beam:coder:global_window:v1",
  components: [],
  deterministic: true,
  encode() {},
  decode: () => GlobalWindow.instance,
};
