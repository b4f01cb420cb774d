import { GlobalWindow, IntervalWindow } from "../values/index.js";
import type { Coder } from "./coder.js";
import { exactMillis, timestampOf } from "./instants.js";
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
    const span = window.end - window.start;
    if (Number.isSafeInteger(window.end) && Number.isSafeInteger(window.start)) writer.writeVarint(span);
    else writer.writeVarintBig(exactMillis(window.end) - exactMillis(window.start));
  },
  decode(reader) {
    const end = reader.readInstant();
    const span = reader.readVarintBig();
    if (span < 0n) reader.fail(`a window of ${span} ms`);
    return new IntervalWindow(timestampOf(exactMillis(end) - span), end);
  },
};
