// Node's own fast conversions between bytes and text, which its type declarations leave out.
export {};

declare global {
  interface Buffer<TArrayBuffer extends ArrayBufferLike = ArrayBufferLike> {
    /** Bytes `[start, end)` as characters of the same codes. */
    latin1Slice(start?: number, end?: number): string;
    /** Bytes `[start, end)` decoded as UTF-8; what is invalid becomes U+FFFD. */
    utf8Slice(start?: number, end?: number): string;
    /** Writes text as UTF-8 and returns the number of bytes. */
    utf8Write(text: string, offset?: number, length?: number): number;
    latin1Write(text: string, offset?: number, length?: number): number;
  }
}
