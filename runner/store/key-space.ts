// The keys of one keyed input: what makes two of them equal, and which key group each belongs to.
//
// K1. Two keys are equal if and only if their encoded bytes are (Beam's definition), whatever objects they are.
// K2. `restore(identify(key))` is equal to `key`.
// K3. The key group depends on the encoded bytes alone: every process computes the same one.
//
// For keys that are JavaScript primitives under a standard coder, `===` already is equality of bytes, so
// the key is its own identity and nothing is encoded. The exceptions are handled here: -0, NaN, strings with lone surrogates.
import type { Coder } from "../../portability/coders/coder.js";
import { ByteReader, ByteWriter } from "../../portability/coders/index.js";
import { murmur3Chars, murmur3Bytes, NOT_NARROW } from "../../portability/hash/murmur3.js";

/** A key in a form that `===` compares by value. */
export type StateKey = string | number | bigint | boolean | symbol;

export interface KeySpace {
  /** The identity of a key. @throws CoderError if its coder cannot write it. */
  identify(key: unknown): StateKey;
  /** A key of this identity. */
  restore(id: StateKey): unknown;
  /** Unsigned 32-bit hash of the key (K3). */
  hash(id: StateKey): number;
}

/** The key space of a key coder: the fastest one that obeys the laws above. */
export function keySpaceOf(coder: Coder<unknown>): KeySpace {
  switch (coder.urn) {
    case "beam:coder:string_utf8:v1":
      return new StringKeys(coder);
    case "beamstorm:coder:value:v1":
      return new ValueKeys(coder);
    case "beamstorm:coder:raw:v1":
      return new RawKeys();
    case "beam:coder:varint:v1":
    case "beam:coder:double:v1":
    case "beam:coder:bool:v1":
      return new PrimitiveKeys(coder);
    default:
      return new EncodedKeys(coder);
  }
}

class KeyEncoder {
  readonly writer = new ByteWriter();
  constructor(readonly coder: Coder<unknown>) {}

  encode(key: unknown): Uint8Array {
    this.writer.reset();
    this.coder.encode(key, this.writer, false);
    return this.writer.view();
  }

  decode(latin1Text: string): unknown {
    return this.coder.decode(new ByteReader(Buffer.from(latin1Text, "latin1")), false);
  }
}

class StringKeys implements KeySpace {
  private readonly encoder: KeyEncoder;
  constructor(coder: Coder<unknown>) {
    this.encoder = new KeyEncoder(coder);
  }

  identify(key: unknown): StateKey {
    if (typeof key !== "string") this.encoder.encode(key); // throws: no string
    const text = key as string;
    // A lone surrogate is encoded as U+FFFD: so it is the same key as one written with U+FFFD (K1).
    return text.isWellFormed() ? text : text.toWellFormed();
  }

  restore(id: StateKey): unknown {
    return id;
  }

  hash(id: StateKey): number {
    const narrow = murmur3Chars(id as string, 0x7f);
    return narrow === NOT_NARROW ? murmur3Bytes(this.encoder.encode(id)) : narrow;
  }
}

// Identities are compared by `===`, which takes -0 for 0 and NaN for different from itself.
const NEGATIVE_ZERO = Symbol("-0");
const NOT_A_NUMBER = Symbol("NaN");

function zero(key: number): StateKey {
  return Object.is(key, -0) ? NEGATIVE_ZERO : key;
}

function numberOf(id: symbol): number {
  return id === NEGATIVE_ZERO ? -0 : NaN;
}

const bits = new Float64Array(1);
const words = new Int32Array(bits.buffer);

/** K3: not the hash of the encoded bytes, but as much a function of them, for a tenth of the time. */
function hashOfNumber(number: number): number {
  bits[0] = number;
  return hashOfWords(words[0], words[1]);
}

/** The same as of an equal number, which has the same bytes. */
function hashOfBigInt(integer: bigint): number {
  const number = Number(integer);
  if (Number.isSafeInteger(number)) return hashOfNumber(number);
  return hashOfWords(Number(BigInt.asIntN(32, integer)), Number(BigInt.asIntN(32, integer >> 32n)));
}

function hashOfWords(low: number, high: number): number {
  let hash = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ high;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

class PrimitiveKeys implements KeySpace {
  private readonly encoder: KeyEncoder;
  private readonly keepsNegativeZero: boolean;
  constructor(coder: Coder<unknown>) {
    this.encoder = new KeyEncoder(coder);
    this.keepsNegativeZero = coder.urn === "beam:coder:double:v1";
  }

  identify(key: unknown): StateKey {
    if (typeof key === "number") return key === 0 ? (this.keepsNegativeZero ? zero(key) : 0) : key !== key ? NOT_A_NUMBER : key;
    if (typeof key !== "bigint" && typeof key !== "boolean") this.encoder.encode(key); // throws: not of this coder
    return key as StateKey;
  }

  restore(id: StateKey): unknown {
    return typeof id === "symbol" ? numberOf(id) : id;
  }

  hash(id: StateKey): number {
    if (typeof id === "number") return hashOfNumber(id);
    return typeof id === "bigint" ? hashOfBigInt(id) : murmur3Bytes(this.encoder.encode(this.restore(id)));
  }
}

/** Starts the identity of an encoded key: no well-formed string starts with it, so none is taken for one. */
const ENCODED = "\ud800";

/** Keys of any plain value, under the coder whose bytes tell 1 from "1": primitives are their own identity. */
class ValueKeys implements KeySpace {
  private readonly encoder: KeyEncoder;
  constructor(coder: Coder<unknown>) {
    this.encoder = new KeyEncoder(coder);
  }

  identify(key: unknown): StateKey {
    switch (typeof key) {
      case "string":
        return key.isWellFormed() ? key : ENCODED + latin1(this.encoder.encode(key));
      case "number":
        return key === 0 ? zero(key) : key !== key ? NOT_A_NUMBER : key;
      case "boolean":
      case "bigint":
        return key;
      default:
        return ENCODED + latin1(this.encoder.encode(key));
    }
  }

  restore(id: StateKey): unknown {
    if (typeof id === "string" && id.startsWith(ENCODED)) return this.encoder.decode(id.slice(1));
    return typeof id === "symbol" ? numberOf(id) : id;
  }

  hash(id: StateKey): number {
    if (typeof id === "string") {
      // K3: not the hash of the encoded bytes, but as much a function of them
      const narrow = murmur3Chars(id, 0x7f);
      if (narrow !== NOT_NARROW) return narrow;
    } else if (typeof id === "number") return hashOfNumber(id);
    return murmur3Bytes(this.encoder.encode(this.restore(id)));
  }
}

/** Keys that are their encoding, as bytes or as a string of one character each. */
class RawKeys implements KeySpace {
  identify(key: unknown): StateKey {
    return typeof key === "string" ? key : latin1(key as Uint8Array);
  }

  restore(id: StateKey): unknown {
    return id;
  }

  hash(id: StateKey): number {
    return murmur3Chars(id as string, 0xff);
  }
}

/** Any other key: its identity is its encoding, one character a byte. */
class EncodedKeys implements KeySpace {
  private readonly encoder: KeyEncoder;
  constructor(coder: Coder<unknown>) {
    this.encoder = new KeyEncoder(coder);
  }

  identify(key: unknown): StateKey {
    return latin1(this.encoder.encode(key));
  }

  restore(id: StateKey): unknown {
    return this.encoder.decode(id as string);
  }

  hash(id: StateKey): number {
    return murmur3Chars(id as string, 0xff);
  }
}

/** Bytes as a string of one character each. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).latin1Slice(0, bytes.byteLength);
}
