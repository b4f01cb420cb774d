// MurmurHash3 x86 32-bit (Austin Appleby, public domain): the hash by which encoded keys fall into key groups.

function mix(k: number): number {
  k = Math.imul(k, 0xcc9e2d51);
  return Math.imul((k << 15) | (k >>> 17), 0x1b873593);
}

function finish(hash: number, length: number): number {
  hash ^= length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Hash of bytes, unsigned. Hashes of different seeds are independent of each other. */
export function murmur3Bytes(bytes: Uint8Array, seed = 0): number {
  const { length } = bytes;
  let hash = seed;
  let at = 0;
  for (const last = length & ~3; at < last; at += 4) {
    hash ^= mix(bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24));
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let i = length - 1; i >= at; i--) tail = (tail << 8) | bytes[i];
  if (at < length) hash ^= mix(tail);
  return finish(hash, length);
}

/** What {@link murmur3Chars} returns for a string with a character beyond its limit. */
export const NOT_NARROW = -1;

/**
 * Hash of a string whose characters are its bytes, without encoding it; {@link NOT_NARROW} if any character is beyond
 * `limit`: 0x7f for text whose UTF-8 encoding is wanted, 0xff for bytes kept as a Latin-1 string.
 */
export function murmur3Chars(text: string, limit: 0x7f | 0xff): number {
  const length = text.length;
  let hash = 0;
  let seen = 0;
  let at = 0;
  for (const last = length & ~3; at < last; at += 4) {
    const a = text.charCodeAt(at);
    const b = text.charCodeAt(at + 1);
    const c = text.charCodeAt(at + 2);
    const d = text.charCodeAt(at + 3);
    seen |= a | b | c | d;
    hash ^= mix(a | (b << 8) | (c << 16) | (d << 24));
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let i = length - 1; i >= at; i--) {
    const code = text.charCodeAt(i);
    seen |= code;
    tail = (tail << 8) | code;
  }
  if (seen > limit) return NOT_NARROW;
  if (at < length) hash ^= mix(tail);
  return finish(hash, length);
}
