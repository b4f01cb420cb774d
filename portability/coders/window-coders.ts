import { GlobalWindow, IntervalWindow } from "../values/index.js";
import type { Coder } from "./coder.js";
import { CoderError } from "./coder-error.js";

/** `beam:coder:global_window:v1`: no bytes. */
export const globalWindowCoder: Coder<GlobalWindow> = {
  urn: "beam:coder:global_window:v1",
  components: [],
  deterministic: true,
  encode() {},
  decode: () => GlobalWindow.instance,
};

/** `beam:coder:interval_window:v1`: the instant of the end, then the varint span in ms. */
export const intervalWindowCoder: Coder<IntervalWindow> = {
  urn: "beam:coder:interval_window:v1",
  components: [],
  deterministic: true,
  encode(window, writer) {
    if (!(window instanceof IntervalWindow)) throw new CoderError("expected an interval window");
    writer.writeInstant(window.end);
    writer.writeVarint(window.end - window.start);
  },
  decode(reader) {
    const end = reader.readInstant();
    return new IntervalWindow(end - reader.readVarint(), end);
  },
};
