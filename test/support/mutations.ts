// Bytes that are nearly right: what a hostile or broken peer may send.
import type { Random } from "./random.js";

const INTERESTING = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x0a, 0x12, 0x1a];
/** Ten bytes of a varint that never ends, the largest one, and a length of 2 GiB. */
const HOSTILE = [
  Buffer.alloc(12, 0xff),
  Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
  Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x07]),
];

/** One to four changes of some bytes; `others` are spliced in. */
export function mutated(bytes: Uint8Array, others: readonly Uint8Array[], random: Random): Buffer {
  let result = Buffer.from(bytes);
  for (let changes = 1 + random.below(4); changes > 0; changes--) result = mutatedOnce(result, others, random);
  return result;
}

function mutatedOnce(bytes: Buffer, others: readonly Uint8Array[], random: Random): Buffer<ArrayBuffer> {
  const at = random.below(bytes.length + 1);
  const end = Math.min(bytes.length, at + 1 + random.below(16));
  const spliced = (...middle: Uint8Array[]): Buffer<ArrayBuffer> => Buffer.concat([bytes.subarray(0, at), ...middle, bytes.subarray(end)]);
  switch (random.below(7)) {
    case 0:
      return at < bytes.length ? spliced(Buffer.from([bytes[at] ^ (1 << random.below(8))]), bytes.subarray(at + 1, end)) : spliced();
    case 1:
      return spliced(Buffer.from([random.pick(INTERESTING)]));
    case 2:
      return spliced();
    case 3:
      return spliced(bytes.subarray(at, end), bytes.subarray(at, end));
    case 4:
      return Buffer.concat([bytes.subarray(0, at)]);
    case 5:
      return spliced(random.pick(HOSTILE), bytes.subarray(at, end));
    default: {
      const other = random.pick(others);
      const from = random.below(other.length + 1);
      return spliced(other.subarray(from, from + random.below(64)));
    }
  }
}
