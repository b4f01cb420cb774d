// Records as bytes, one behind the other: [kind][id, length-prefixed][payload, length-prefixed, unless it is gone].
//
// Where several snapshots become one, what was dropped is written first, and what has come again since is written whole.
export const GONE = 0;
export const WHOLE = 1;
export const ADDED = 2;
/** All records whose ids begin with this one are gone. */
export const DROPPED = 3;

export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).latin1Slice(0, bytes.byteLength);
}
