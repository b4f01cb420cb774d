import type { PaneInfo, Timestamp, Window } from "../values/index.js";
import type { Coder } from "./coder.js";
import { iterableCoder } from "./iterable-coder.js";
import { decodePane, encodePane } from "./pane-info-coder.js";

/** A timer as it travels: set, or cleared. */
export type TimerValue<K> = {
  readonly key: K;
  /** The dynamic tag; empty for an ordinary timer. */
  readonly tag: string;
  readonly windows: readonly Window[];
} & (
  | { readonly cleared: true }
  | {
      readonly cleared: false;
      readonly fireTimestamp: Timestamp;
      /** What holds the watermark back. */
      readonly holdTimestamp: Timestamp;
      readonly pane: PaneInfo;
    }
);

/** `beam:coder:timer:v1`: key, tag, windows, clear flag; and unless cleared, fire and hold instants and the pane. */
export function timerCoder<K>(key: Coder<K>, window: Coder<Window>): Coder<TimerValue<K>> {
  const windows = iterableCoder(window);
  return {
    urn: "beam:coder:timer:v1",
    components: [key as Coder<unknown>, window as Coder<unknown>],
    deterministic: false,
    encode(timer, writer) {
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
      const common = { key: key.decode(reader, true), tag: reader.readText(reader.readLength()), windows: [...windows.decode(reader, true)] };
      const cleared = reader.readByte();
      if (cleared > 1) reader.fail(`expected 0 or 1 for a cleared timer, got ${cleared}`);
      if (cleared === 1) return { ...common, cleared: true };
      return { ...common, cleared: false, fireTimestamp: reader.readInstant(), holdTimestamp: reader.readInstant(), pane: decodePane(reader) };
    },
  };
}
