import { IntervalWindow, type Window } from "../values/index.js";
import { CoderError } from "./coder-error.js";
import type { Coder } from "./coder.js";
import { exactMillis } from "./instants.js";

/**
 * `beam:coder:custom_window:v1`: the instant of the window's greatest timestamp, then the window by its own coder. So a
 * runner that does not know the window can still order it.
 */
export function customWindowCoder<W extends Window>(window: Coder<W>): Coder<W> {
  return {
    urn: "beam:coder:custom_window:v1",
    components: [window as Coder<unknown>],
    deterministic: window.deterministic,
    encode(value, writer) {
      writer.writeInstantMillis(maxMillis(value));
      window.encode(value, writer, true);
    },
    decode(reader) {
      const { offset } = reader;
      const declared = reader.readInstantMillis();
      const value = window.decode(reader, true);
      if (maxMillis(value) !== declared) throw new CoderError("a window does not end where its prefix says", offset);
      return value;
    },
  };
}

/** The greatest timestamp exactly: behind 2^53 the one of an interval cannot be told from its end as a number. */
function maxMillis(window: Window): bigint {
  return window instanceof IntervalWindow ? exactMillis(window.end) - 1n : exactMillis(window.maxTimestamp);
}
