// Coders for a runner that knows where values begin and end, and nothing else of them.
//
// R1. A raw value (raw-value.ts) is the nested encoding of the value, whatever its type. It is compared and sent on, never decoded.
// R2. A raw key-value pair is a KV of raw values, so that a grouping can read its key.
// R3. What a grouping makes, a KV of a raw key and an iterable of raw values, is written as the iterable that it stands for, and read
//     back as R2 has it.
// R4. A long value that is most of what it was read from keeps that in memory instead of being copied.
import { CoderError, type ByteReader, type ByteWriter, type Coder, type CoderProto } from "../../portability/coders/index.js";
import { CODER } from "../../portability/urns/index.js";
import { kv, type KV } from "../../portability/values/index.js";
import type { GroupValues, LargeGroups } from "./large-groups.js";
import { isRawValue, SHORT_VALUE, writeRaw, type RawValue } from "./raw-value.js";
import { skipValueOf, type SkipValue } from "./skip-value.js";

type Coders = Readonly<Record<string, CoderProto>>;

/**
 * The raw coder of elements of a coder.
 *
 * @param groups writes what is too large to travel whole, where the reader can ask for the rest
 * @throws CoderError for a coder that is not there or not known
 */
export function rawCoder(coderId: string, coders: Coders, groups?: LargeGroups): Coder<unknown> {
  const coder = Object.hasOwn(coders, coderId) ? coders[coderId] : undefined;
  if (coder?.spec?.urn === CODER.KV && coder.componentCoderIds?.length === 2) {
    const [key, value] = coder.componentCoderIds;
    return new RawKvCoder(new RawValueCoder(skipValueOf(key, coders)), new RawValueCoder(skipValueOf(value, coders), groups));
  }
  return new RawValueCoder(skipValueOf(coderId, coders));
}

/** The raw coder of what is one value, also where it is a pair, as keys may be. @throws CoderError for a coder that is not there or not known */
export function rawValueCoder(coderId: string, coders: Coders): Coder<unknown> {
  return new RawValueCoder(skipValueOf(coderId, coders));
}

/** R1 */
class RawValueCoder implements Coder<unknown> {
  readonly urn = "beamstorm:coder:raw:v1";
  readonly components: readonly Coder<unknown>[] = [];
  readonly deterministic = true;

  constructor(
    private readonly skip: SkipValue,
    private readonly groups?: LargeGroups,
  ) {}

  encode(value: unknown, writer: ByteWriter): void {
    if (isRawValue(value)) return writeRaw(value, writer);
    if (typeof value !== "object" || value === null || !(Symbol.iterator in value))
      throw new CoderError(`expected the bytes of a value, got ${typeof value}`);
    const items = value as GroupValues;
    if (this.groups?.encode(items, writer) === true) return;
    writer.writeInt32(items.length); // R3
    for (const item of items) this.encodeItem(item, writer);
  }

  decode(reader: ByteReader): RawValue {
    const start = reader.offset;
    this.skip(reader);
    const length = reader.offset - start;
    reader.offset = start;
    if (length <= SHORT_VALUE) return reader.readLatin1(length);
    return length * 2 > reader.end ? reader.readView(length) : reader.readBytes(length); // R4
  }

  private encodeItem(item: unknown, writer: ByteWriter): void {
    if (isRawValue(item)) writeRaw(item, writer);
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
    if (isRawValue(element)) return writeRaw(element, writer); // a pair that came as part of a larger value
    const pair = element as KV<unknown, unknown>;
    this.key.encode(pair.key, writer);
    this.value.encode(pair.value, writer);
  }

  decode(reader: ByteReader): KV<RawValue, RawValue> {
    const key = this.key.decode(reader);
    return kv(key, this.value.decode(reader));
  }
}
