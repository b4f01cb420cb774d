import type { ByteReader } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";

/**
 * Turns values of one type into bytes and back: one Beam coder, in both contexts.
 *
 * *Nested*: other bytes may follow, so the value delimits itself. *Outermost*: the value owns all that is left.
 * Laws: `decode(encode(v))` equals `v` in either context; a deterministic coder gives equal values equal bytes.
 */
export interface Coder<T> {
  /** Beam's URN, e.g. `beam:coder:varint:v1`. */
  readonly urn: string;
  readonly components: readonly Coder<unknown>[];
  /** What the URN leaves open, as Beam's FunctionSpec carries it. */
  readonly payload?: Uint8Array;
  /** Whether equal values always have equal bytes; only such coders may encode keys. */
  readonly deterministic: boolean;
  encode(value: T, writer: ByteWriter, nested: boolean): void;
  /** @throws CoderError with the offset, on truncated or corrupt bytes. */
  decode(reader: ByteReader, nested: boolean): T;
}
