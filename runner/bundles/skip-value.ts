// Finds the end of an encoded value without making anything of it.
import type { ByteReader, CoderProto } from "../../portability/coders/index.js";
import { CoderRegistry, decodePane } from "../../portability/coders/index.js";
import { CODER } from "../../portability/urns/index.js";

/** Moves the reader behind one nested value. @throws CoderError where the bytes end too early */
export type SkipValue = (reader: ByteReader) => void;

type Coders = Readonly<Record<string, CoderProto>>;

/**
 * Skips values of a coder whose leaves are all known or length-prefixed, as `lengthPrefixUnknownCoders` leaves them.
 *
 * @throws CoderError for a coder that is not there or not known
 */
export function skipValueOf(coderId: string, coders: Coders): SkipValue {
  const coder = Object.hasOwn(coders, coderId) ? coders[coderId] : undefined;
  const components = (coder?.componentCoderIds ?? []).map((id) => () => skipValueOf(id, coders));
  switch (coder?.spec?.urn) {
    case CODER.BYTES:
    case CODER.STRING_UTF8:
    case CODER.LENGTH_PREFIX:
      return skipLengthPrefixed;
    case CODER.VARINT:
      return skipVarint;
    case CODER.DOUBLE:
      return (reader) => reader.skip(8);
    case CODER.BOOL:
      return (reader) => reader.skip(1);
    case CODER.GLOBAL_WINDOW:
      return () => {};
    case CODER.INTERVAL_WINDOW:
      return (reader) => {
        reader.skip(8);
        skipVarint(reader);
      };
    case CODER.KV: {
      const [key, value] = components.map((component) => component());
      return (reader) => {
        key(reader);
        value(reader);
      };
    }
    case CODER.NULLABLE: {
      const [value] = components.map((component) => component());
      return (reader) => {
        if (reader.readByte() !== 0) value(reader);
      };
    }
    case CODER.ITERABLE:
    case CODER.STATE_BACKED_ITERABLE: {
      const [element] = components.map((component) => component());
      return (reader) => skipIterable(reader, element);
    }
    case CODER.CUSTOM_WINDOW: {
      const [window] = components.map((component) => component());
      return (reader) => {
        reader.skip(8);
        window(reader);
      };
    }
    case CODER.SHARDED_KEY: {
      const [key] = components.map((component) => component());
      return (reader) => {
        skipLengthPrefixed(reader);
        key(reader);
      };
    }
    case CODER.PARAM_WINDOWED_VALUE:
      return components[0]();
    case CODER.WINDOWED_VALUE: {
      const [element, window] = components.map((component) => component());
      return (reader) => {
        reader.skip(8);
        skipCounted(reader, reader.readInt32(), window);
        decodePane(reader);
        element(reader);
      };
    }
    default: {
      // Of the rare ones the values are decoded and dropped.
      const decoder = new CoderRegistry({ bigIntVarints: true }).fromProto(coderId, coders);
      return (reader) => void decoder.decode(reader, true);
    }
  }
}

function skipLengthPrefixed(reader: ByteReader): void {
  reader.skip(reader.readLength());
}

function skipVarint(reader: ByteReader): void {
  reader.readVarint32();
}

function skipCounted(reader: ByteReader, count: number, element: SkipValue): void {
  for (let i = 0; i < count; i++) {
    const before = reader.offset;
    element(reader);
    if (reader.offset === before) reader.countEmptyElement();
  }
}

/** A count and elements, or −1 and chunks; a chunk of −1 is the token of what is in state. */
function skipIterable(reader: ByteReader, element: SkipValue): void {
  const count = reader.readInt32();
  if (count >= 0) return skipCounted(reader, count, element);
  if (count !== -1) reader.fail(`negative count ${count}`);
  for (;;) {
    const chunk = reader.readVarint();
    if (chunk === 0) return;
    if (chunk > 0) skipCounted(reader, chunk, element);
    else if (chunk === -1) return skipLengthPrefixed(reader);
    else reader.fail(`negative chunk length ${chunk}`);
  }
}
