// `beam:coder:windowed_value:v1`: what crosses every boundary between processes, so the busiest coder of all.
//
// Neighbouring elements mostly share their windows and pane, and often their timestamp. So both sides remember the last meta and
// the bytes of its windows and pane: writing copies those bytes, reading compares them and shares the last meta (design D4).
import { ElementMeta, GLOBAL_WINDOWS, GlobalWindow, IMPULSE_META, type Window, type WindowedValue } from "../values/index.js";
import type { ByteReader } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";
import type { Coder } from "./coder.js";
import { CoderError } from "./coder-error.js";
import { readElements } from "./iterable-coder.js";
import { decodePane, encodePane } from "./pane-info-coder.js";

/**
 * The instant of the timestamp in 8 bytes, int32 count of windows (at least one) and the windows, the pane, then the element in
 * the context of the whole.
 *
 * @example
 * ```ts
 * const coder = new WindowedValueCoder(utf8Coder, globalWindowCoder);
 * ```
 */
export class WindowedValueCoder<T> implements Coder<WindowedValue<T>> {
  readonly urn = "beam:coder:windowed_value:v1";
  readonly components: readonly Coder<unknown>[];
  readonly deterministic = false;

  private writtenMeta = IMPULSE_META;
  private writtenTail: Uint8Array | undefined;
  private readMeta = IMPULSE_META;
  private readTail: Uint8Array | undefined;
  private readTimestamp = IMPULSE_META.timestamp;
  private readonly scratch = new ByteWriter(64);

  constructor(
    readonly element: Coder<T>,
    readonly window: Coder<Window>,
  ) {
    this.components = [element as Coder<unknown>, window as Coder<unknown>];
  }

  encode({ value, meta }: WindowedValue<T>, writer: ByteWriter, nested: boolean): void {
    this.encodeMeta(meta, writer);
    this.element.encode(value, writer, nested);
  }

  /** Encodes without an object that holds both parts. */
  encodeParts(value: T, meta: ElementMeta, writer: ByteWriter, nested = true): void {
    this.encodeMeta(meta, writer);
    this.element.encode(value, writer, nested);
  }

  /** What precedes the element. */
  encodeMeta(meta: ElementMeta, writer: ByteWriter): void {
    const { writtenMeta, writtenTail } = this;
    const known = writtenTail !== undefined && meta.windows === writtenMeta.windows && meta.pane === writtenMeta.pane;
    const tail = known ? writtenTail : this.tailOf(meta);
    writer.writeInstant(meta.timestamp);
    writer.writeBytes(tail);
  }

  decode(reader: ByteReader, nested: boolean): WindowedValue<T> {
    const meta = this.decodeMeta(reader);
    return { value: this.element.decode(reader, nested), meta };
  }

  /** Reads what precedes the element; `element.decode` goes on from there, and no object is made for both. */
  decodeMeta(reader: ByteReader): ElementMeta {
    const timestamp = reader.readInstant();
    const last = this.readMeta;
    const tail = this.readTail;
    if (tail !== undefined && reader.skipIfEqual(tail)) {
      if (timestamp === last.timestamp) return last;
      const meta = new ElementMeta(timestamp, last.windows, last.pane);
      // Kept only when it repeats: to keep each of many different ones would cost more than to make them.
      if (timestamp === this.readTimestamp) this.readMeta = meta;
      else this.readTimestamp = timestamp;
      return meta;
    }
    return this.readOtherMeta(timestamp, reader);
  }

  private readOtherMeta(timestamp: number, reader: ByteReader): ElementMeta {
    const start = reader.offset;
    const count = reader.readInt32();
    if (count < 1) throw new CoderError(`an element is in ${count} windows`, start);
    const windows: Window[] = [];
    readElements(windows, count, this.window, reader);
    const pane = decodePane(reader);
    const size = reader.offset - start;
    const meta = new ElementMeta(timestamp, count === 1 && windows[0] instanceof GlobalWindow ? GLOBAL_WINDOWS : windows, pane);
    if (size <= MAX_TAIL) {
      reader.offset = start;
      this.readTail = reader.readBytes(size);
      this.readMeta = meta;
    }
    return meta;
  }

  private tailOf(meta: ElementMeta): Uint8Array {
    const { writtenMeta, writtenTail, scratch } = this;
    const { windows, pane } = meta;
    if (writtenTail !== undefined && pane === writtenMeta.pane && isSameWindow(windows, writtenMeta.windows)) return writtenTail;
    if (windows.length === 0) throw new CoderError("an element must be in a window at least");
    scratch.reset();
    scratch.writeInt32(windows.length);
    for (const window of windows) this.window.encode(window, scratch, true);
    encodePane(pane, scratch);
    const tail = scratch.toBytes();
    this.writtenMeta = meta;
    this.writtenTail = tail;
    return tail;
  }
}

/** Longer tails are not worth remembering when read. */
const MAX_TAIL = 256;

function isSameWindow(a: readonly Window[], b: readonly Window[]): boolean {
  return a.length === 1 && b.length === 1 && a[0] === b[0];
}
