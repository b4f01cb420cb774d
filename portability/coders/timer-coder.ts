// `beam:coder:timer:v1`: how an SDK sets and clears timers, and how a runner fires them.
import type { PaneInfo, Timestamp, Window } from "../values/index.js";
import type { Coder } from "./coder.js";
import { iterableCoder } from "./iterable-coder.js";
import { decodePane, encodePane } from "./pane-info-coder.js";
import { wrongValue } from "./wrong-value.js";

interface TimerOf<K> {
  readonly key: K;
  /** The dynamic tag; empty for an ordinary timer. */
  readonly tag: string;
  readonly windows: readonly Window[];
}

/** Takes a timer back. */
export interface ClearedTimer<K> extends TimerOf<K> {
  readonly cleared: true;
}

/** Sets a timer, or fires it. */
export interface SetTimer<K> extends TimerOf<K> {
  readonly cleared: false;
  /** When it fires: event time, or a wall clock for a timer in processing time. */
  readonly fireTimestamp: Timestamp;
  /** What holds the watermark back until then. */
  readonly holdTimestamp: Timestamp;
  readonly pane: PaneInfo;
}

/** A timer as it travels. Its family is not in the bytes. */
export type TimerValue<K> = SetTimer<K> | ClearedTimer<K>;

/**
 * Key nested, varint length and tag, int32 count and windows, one byte that is 1 for a cleared timer; unless it is cleared, the
 * instants of fire and hold in 8 bytes each, and the pane. Both contexts are the same.
 *
 * @example
 * ```ts
 * const coder = timerCoder(utf8Coder, globalWindowCoder);
 * ```
 */
export function timerCoder<K>(key: Coder<K>, window: Coder<Window>): Coder<TimerValue<K>> {
  const windows = iterableCoder(window);
  return {
    urn: "beam:coder:timer:v1",
    components: [key as Coder<unknown>, window as Coder<unknown>],
    deterministic: false,
    encode(timer, writer) {
      if (typeof timer?.tag !== "string") wrongValue("a timer", timer);
      key.encode(timer.key, writer, true);
      writer.writeUtf8(timer.tag);
      windows.encode(timer.windows, writer, true);
      writer.writeByte(timer.cleared ? 1 : 0);
      if (timer.cleared) return;
      writer.writeInstant(timer.fireTimestamp);
      writer.writeInstant(timer.holdTimestamp);
      encodePane(timer.pane, writer);
    },
    decode(reader) {
      const timerKey = key.decode(reader, true);
      const tag = reader.readText(reader.readLength());
      const timerWindows = windows.decode(reader, true) as readonly Window[];
      const cleared = reader.readByte();
      if (cleared > 1) reader.fail(`expected 0 or 1 for a cleared timer, got ${cleared}`);
      if (cleared === 1) return { key: timerKey, tag, windows: timerWindows, cleared: true };
      const fireTimestamp = reader.readInstant();
      const holdTimestamp = reader.readInstant();
      const pane = decodePane(reader);
      return { key: timerKey, tag, windows: timerWindows, cleared: false, fireTimestamp, holdTimestamp, pane };
    },
  };
}
