// Short strings that were read lately. Keys and words repeat: taking the string that is there already costs a fraction of making
// another, and maps find one string faster than equal ones, as its hash is known and comparing is a look at the pointer.
//
// The table is fixed in size: a string that is read replaces what was in its place. So it holds 4096 short strings at most.
import "./buffer-slices.js";

/** Longest string, in bytes, that is worth a look. */
export const SHORT_STRING = 24;

const PLACES = 4096;
const hashes = new Int32Array(PLACES);
const strings: string[] = new Array<string>(PLACES).fill("");

/** Bytes `[start, end)`, at most {@link SHORT_STRING}, as UTF-8; what is invalid becomes U+FFFD. */
export function shortString(buffer: Buffer, start: number, end: number): string {
  let hash = 0;
  let bits = 0;
  for (let i = start; i < end; i++) {
    const byte = buffer[i];
    bits |= byte;
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  if (bits > 0x7f) return buffer.utf8Slice(start, end);
  const place = (hash ^ (hash >>> 12)) & (PLACES - 1);
  const known = strings[place];
  if (hashes[place] === hash && isText(known, buffer, start, end)) return known;
  const text = buffer.latin1Slice(start, end);
  hashes[place] = hash;
  strings[place] = text;
  return text;
}

function isText(text: string, buffer: Buffer, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = start; i < end; i++) if (text.charCodeAt(i - start) !== buffer[i]) return false;
  return true;
}
