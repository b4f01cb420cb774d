import { IntervalWindow } from "../values/index.js";
import type { Coder } from "./coder.js";
import { CoderError } from "./coder-error.js";
import { exactMillis, timestampOf } from "./instants.js";
import { wrongValue } from "./wrong-value.js";

/**
 * `beam:coder:interval_window:v1`: the instant of the end, exclusive, in 8 bytes; then the varint span in ms, which is not
 * negative. Ends and starts beyond 2^53 that are not Beam's extremes are kept to 2 ms.
 *
 * @example
 * ```ts
 * const writer = new ByteWriter();
 * intervalWindowCoder.encode(new IntervalWindow(0, 60_000), writer, true);
 * const same = intervalWindowCoder.decode(new ByteReader(writer.toBytes()), true);
 * ```
 */
export const intervalWindowCoder: Coder<IntervalWindow> = {
  urn: "beam:coder:interval_window:v1",
  components: [],
  deterministic: true,
  encode(window, writer) {
    if (!(window instanceof IntervalWindow)) wrongValue("an interval window", window);
    const { start, end } = window;
    let span = end - start;
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end)) span = Number(exactMillis(end) - exactMillis(start));
    if (!(span >= 0)) throw new CoderError(`a window cannot end before it starts: ${window.toString()}`);
    writer.writeInstant(end);
    if (Number.isSafeInteger(span)) writer.writeVarint(span);
    else writer.writeVarintBig(exactMillis(end) - exactMillis(start));
  },
  decode(reader) {
    const end = reader.readInstant();
    const { offset } = reader;
    const span = reader.readVarintBig();
    if (span < 0n) throw new CoderError(`a window of ${span} ms`, offset);
    const start = end - Number(span);
    return new IntervalWindow(Number.isSafeInteger(end) && Number.isSafeInteger(start) ? start : timestampOf(exactMillis(end) - span), end);
  },
};
