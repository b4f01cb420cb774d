// Where an element stands among the firings of its window, inside windowed values and timers.
//
// One byte: first | last << 1 | timing << 2 | form << 4, then
//   form 0   nothing: both indices are 0, or the timing is UNKNOWN
//   form 1   varint index: the non-speculative index is the same, or −1 where the timing is EARLY
//   form 2   varint index, varint non-speculative index
// Bit 7 says that element metadata follows, a varint length and a message; it is skipped and never written.
import { NO_FIRING, ON_TIME_AND_ONLY, PaneTiming, type PaneInfo } from "../values/index.js";
import type { ByteReader } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";

const METADATA = 0x80;

/** Writes 1 to 21 bytes. @internal */
export function encodePane(pane: PaneInfo, writer: ByteWriter): void {
  const { index, nonSpeculativeIndex, timing } = pane;
  const flags = (pane.isFirst ? 1 : 0) | (pane.isLast ? 2 : 0) | (timing << 2);
  if ((index === 0 && nonSpeculativeIndex === 0) || timing === PaneTiming.UNKNOWN) writer.writeByte(flags);
  else if (index === nonSpeculativeIndex || timing === PaneTiming.EARLY) {
    writer.writeByte(flags | 0x10);
    writer.writeVarint(index);
  } else {
    writer.writeByte(flags | 0x20);
    writer.writeVarint(index);
    writer.writeVarint(nonSpeculativeIndex);
  }
}

/** The common panes are shared constants. @throws CoderError for a form that is not known @internal */
export function decodePane(reader: ByteReader): PaneInfo {
  const byte = reader.readByte();
  const pane = paneOf(byte & 0x7f, reader);
  if ((byte & METADATA) !== 0) reader.skip(reader.readLength());
  return pane;
}

function paneOf(byte: number, reader: ByteReader): PaneInfo {
  if (byte === 0x0f) return NO_FIRING;
  if (byte === 0x07) return ON_TIME_AND_ONLY;
  const timing = ((byte >> 2) & 3) as PaneTiming;
  let index = 0;
  let nonSpeculativeIndex = 0;
  switch (byte >> 4) {
    case 0:
      break;
    case 1:
      index = reader.readVarint();
      nonSpeculativeIndex = timing === PaneTiming.EARLY ? -1 : index;
      break;
    case 2:
      index = reader.readVarint();
      nonSpeculativeIndex = reader.readVarint();
      break;
    default:
      reader.fail(`pane encoding ${byte >> 4} is not known`);
  }
  return { isFirst: (byte & 1) !== 0, isLast: (byte & 2) !== 0, timing, index, nonSpeculativeIndex };
}
