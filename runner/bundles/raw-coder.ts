// Coders for a runner that knows where values begin and end, and nothing else of them.
//
// R1. A raw value is the nested encoding of the value, whatever its type, as a Uint8Array. It is compared and sent on, never decoded.
// R2. A raw key-value pair is a KV of raw values, so that a grouping can read its key.
// R3. What a grouping makes, a KV of a raw key and an iterable of raw values, is written as the iterable that it stands for, and read
//     back as R2 has it.
import { CoderError, type ByteReader, type ByteWriter, type Coder, type CoderProto } from "../../portability/coders/index.js";
import { CODER } from "../../portability/urns/index.js";
import { kv, type KV } from "../../portability/values/index.js";
import { skipValueOf, type SkipValue } from "./skip-value.js";

type Coders = Readonly<Record<string, CoderProto>>;

/** The raw coder of elements of a coder. @throws CoderError for a coder that is not there or not known */
export function rawCoder(coderId: string, coders: Coders): Coder<unknown> {
  const coder = Object.hasOwn(coders, coderId) ? coders[coderId] : undefined;
  if (coder?.spec?.urn === CODER.KV && coder.componentCoderIds?.length === 2) {
    const [key, value] = coder.componentCoderIds;
    return new RawKvCoder(new RawValueCoder(skipValueOf(key, coders)), new RawValueCoder(skipValueOf(value, coders)));
  }
  return new RawValueCoder(skipValueOf(coderId, coders));
}

/** R1 */
class RawValueCoder implements Coder<unknown> {
  readonly urn = "beamstorm:coder:raw:v1";
  readonly components: readonly Coder<unknown>[] = [];
  readonly deterministic = true;

  constructor(private readonly skip: SkipValue) {}

  encode(value: unknown, writer: ByteWriter): void {
    if (value instanceof Uint8Array) {
      writer.writeBytes(value);
      return;
    }
    if (typeof value !== "object" || value === null || !(Symbol.iterator in value))
      throw new CoderError(`expected the bytes of a value, got ${typeof value}`);
    const items = Array.isArray(value) ? (value as unknown[]) : [...(value as Iterable<unknown>)];
    writer.writeInt32(items.length); // R3
    for (const item of items) this.encodeItem(item, writer);
  }

  decode(reader: ByteReader): Uint8Array {
    const start = reader.offset;
    this.skip(reader);
    const length = reader.offset - start;
    reader.offset = start;
    return reader.readBytes(length);
  }

  private encodeItem(item: unknown, writer: ByteWriter): void {
    if (item instanceof Uint8Array) writer.writeBytes(item);
    else throw new CoderError(`expected the bytes of a grouped value, got ${typeof item}`);
  }
}

/** R2 */
class RawKvCoder implements Coder<unknown> {
  readonly urn = CODER.KV;
  readonly components: readonly Coder<unknown>[];
  readonly deterministic = true;

  constructor(
    private readonly key: RawValueCoder,
    private readonly value: RawValueCoder,
  ) {
    this.components = [key, value];
  }

  encode(element: unknown, writer: ByteWriter): void {
    if (element instanceof Uint8Array) {
      writer.writeBytes(element); // a pair that came as part of a larger value
      return;
    }
    const pair = element as KV<unknown, unknown>;
    this.key.encode(pair.key, writer);
    this.value.encode(pair.value, writer);
  }

  decode(reader: ByteReader): KV<Uint8Array, Uint8Array> {
    const key = this.key.decode(reader);
    return kv(key, this.value.decode(reader));
  }
}
