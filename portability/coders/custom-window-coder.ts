// `beam:coder:custom_window:v1`: any window behind the instant of its greatest timestamp, so that a runner which does not know
// the window can still order it.
import { IntervalWindow, OpaqueWindow, type Window } from "../values/index.js";
import type { ByteWriter } from "./byte-writer.js";
import type { Coder } from "./coder.js";
import { CoderError } from "./coder-error.js";
import { exactMillis, timestampOf } from "./instants.js";
import { wrongValue } from "./wrong-value.js";

const URN = "beam:coder:custom_window:v1";

/**
 * The instant of the window's greatest timestamp in 8 bytes, then the window by its own coder, nested.
 * A prefix that is not the greatest timestamp of the window behind it is a CoderError.
 *
 * @example
 * ```ts
 * const coder = customWindowCoder(intervalWindowCoder);
 * const writer = new ByteWriter();
 * coder.encode(new IntervalWindow(0, 60_000), writer, true);
 * const same = coder.decode(new ByteReader(writer.toBytes()), true);
 * ```
 */
export function customWindowCoder<W extends Window>(window: Coder<W>): Coder<W> {
  return {
    urn: URN,
    components: [window as Coder<unknown>],
    deterministic: window.deterministic,
    encode(value, writer) {
      writeMaxTimestamp(value, writer);
      window.encode(value, writer, true);
    },
    decode(reader) {
      const { offset } = reader;
      const maxTimestamp = reader.readInstant();
      const value = window.decode(reader, true);
      if (value.maxTimestamp !== maxTimestamp && timestampOf(exactMaxTimestamp(value)) !== maxTimestamp)
        throw new CoderError("a window does not end where its prefix says", offset);
      return value;
    },
  };
}

/**
 * Windows that nothing is known about but their greatest timestamp: its instant in 8 bytes, then varint length and the
 * window's bytes.
 * @param encoded the coder of the bytes, which is kept as the component: `length_prefix` or nested `bytes`
 * @internal
 */
export function opaqueWindowCoder(encoded: Coder<unknown>): Coder<OpaqueWindow> {
  return {
    urn: URN,
    components: [encoded],
    deterministic: true,
    encode(value, writer) {
      if (!(value instanceof OpaqueWindow)) wrongValue("an opaque window", value);
      writer.writeInstant(value.maxTimestamp);
      writer.writeVarint(value.encoded.length);
      writer.writeBytes(value.encoded);
    },
    decode(reader) {
      const maxTimestamp = reader.readInstant();
      return new OpaqueWindow(maxTimestamp, reader.readBytes(reader.readLength()));
    },
  };
}

function writeMaxTimestamp(window: Window, writer: ByteWriter): void {
  if (Number.isSafeInteger(window.maxTimestamp)) writer.writeInstant(window.maxTimestamp);
  else writer.writeInt64(exactMaxTimestamp(window) ^ (1n << 63n));
}

/** As a number, end − 1 is not exact beyond 2^53. */
function exactMaxTimestamp(window: Window): bigint {
  return window instanceof IntervalWindow ? exactMillis(window.end) - 1n : exactMillis(window.maxTimestamp);
}
