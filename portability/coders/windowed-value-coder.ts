import { ElementMeta, GLOBAL_WINDOWS, GlobalWindow, IMPULSE_META, NO_FIRING, type Window, type WindowedValue } from "../values/index.js";
import type { ByteReader } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";
import type { Coder } from "./coder.js";
import { decodePane, encodePane } from "./pane-info-coder.js";

/** `beam:coder:windowed_value:v1`: instant, int32 count and windows, pane, element. */
export class WindowedValueCoder<T> implements Coder<WindowedValue<T>> {
  readonly urn = "beam:coder:windowed_value:v1";
  readonly components: readonly Coder<unknown>[];
  readonly deterministic = false;
  // Neighbouring elements mostly share their meta: its bytes are kept.
  private lastMeta: ElementMeta | undefined;
  private lastBytes: Uint8Array = new Uint8Array();
  private readonly scratch = new ByteWriter(64);

  constructor(
    private readonly element: Coder<T>,
    private readonly window: Coder<Window>,
  ) {
    this.components = [element as Coder<unknown>, window as Coder<unknown>];
  }

  encode({ value, meta }: WindowedValue<T>, writer: ByteWriter, nested: boolean): void {
    this.encodeParts(value, meta, writer, nested);
  }

  /** Encodes without an object that holds both parts. */
  encodeParts(value: T, meta: ElementMeta, writer: ByteWriter, nested = true): void {
    if (meta !== this.lastMeta) {
      const { scratch } = this;
      scratch.reset();
      scratch.writeInstant(meta.timestamp);
      scratch.writeInt32(meta.windows.length);
      for (const window of meta.windows) this.window.encode(window, scratch, true);
      encodePane(meta.pane, scratch);
      this.lastBytes = scratch.toBytes();
      this.lastMeta = meta;
    }
    writer.writeBytes(this.lastBytes);
    this.element.encode(value, writer, nested);
  }

  decode(reader: ByteReader, nested: boolean): WindowedValue<T> {
    const timestamp = reader.readInstant();
    const count = reader.readInt32();
    if (count < 1 || count > 1 << 20) reader.fail(`an element is in ${count} windows`);
    let windows: readonly Window[];
    if (count === 1) {
      const window = this.window.decode(reader, true);
      windows = window instanceof GlobalWindow ? GLOBAL_WINDOWS : [window];
    } else windows = Array.from({ length: count }, () => this.window.decode(reader, true));
    const pane = decodePane(reader);
    const meta =
      windows === GLOBAL_WINDOWS && pane === NO_FIRING && timestamp === IMPULSE_META.timestamp ? IMPULSE_META : new ElementMeta(timestamp, windows, pane);
    return { value: this.element.decode(reader, nested), meta };
  }
}
