import type { ElementMeta, Window, WindowedValue } from "../values/index.js";
import { bytesCoder } from "./bytes-coder.js";
import { ByteReader } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";
import type { Coder } from "./coder.js";
import { WindowedValueCoder } from "./windowed-value-coder.js";

/**
 * `beam:coder:param_windowed_value:v1`: the element alone, in the context of the whole. Its meta is the same for all elements and is
 * in the payload, as an outermost windowed value of no bytes. Writing drops the meta of the element.
 *
 * @example
 * ```ts
 * const coder = new ParamWindowedValueCoder(utf8Coder, globalWindowCoder, IMPULSE_META);
 * ```
 */
export class ParamWindowedValueCoder<T> implements Coder<WindowedValue<T>> {
  readonly urn = "beam:coder:param_windowed_value:v1";
  readonly components: readonly Coder<unknown>[];
  readonly deterministic: boolean;
  readonly payload: Uint8Array;

  constructor(
    private readonly element: Coder<T>,
    window: Coder<Window>,
    readonly meta: ElementMeta,
  ) {
    this.components = [element as Coder<unknown>, window as Coder<unknown>];
    this.deterministic = element.deterministic;
    const writer = new ByteWriter();
    new WindowedValueCoder(bytesCoder, window).encodeParts(new Uint8Array(), meta, writer, false);
    this.payload = writer.toBytes();
  }

  /** @throws CoderError for a payload that is not a windowed value */
  static fromPayload<T>(element: Coder<T>, window: Coder<Window>, payload: Uint8Array): ParamWindowedValueCoder<T> {
    const { meta } = new WindowedValueCoder(bytesCoder, window).decode(new ByteReader(payload), false);
    return new ParamWindowedValueCoder(element, window, meta);
  }

  encode({ value }: WindowedValue<T>, writer: ByteWriter, nested: boolean): void {
    this.element.encode(value, writer, nested);
  }

  decode(reader: ByteReader, nested: boolean): WindowedValue<T> {
    return { value: this.element.decode(reader, nested), meta: this.meta };
  }
}
