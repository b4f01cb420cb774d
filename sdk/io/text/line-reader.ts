// Splits bytes into lines, for files read as ranges.
//
// L1. A line belongs to the range that its first byte lies in; so the lines of adjacent ranges are all lines, once each.
// L2. `\n` ends a line and is not part of it, nor is a `\r` before it. The last line needs no `\n`.
// L3. Memory is bounded by the longest line; one beyond `maxLineBytes` is an error.
import { isAscii, isUtf8 } from "node:buffer";

export interface LineOptions {
  /** What bytes that are not UTF-8 become: U+FFFD, or an error. Default "replace". */
  readonly invalidUtf8?: "replace" | "error";
  /** Longest line in bytes; default 256 MiB. */
  readonly maxLineBytes?: number;
}

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;

/**
 * The lines of one range of a file, in batches as its blocks arrive.
 *
 * @param blocks the bytes from `start - 1` on (from 0 if start is 0), beyond the end of the range as far as needed
 * @param file named in errors
 */
export async function* linesOfRange(
  blocks: AsyncIterable<Uint8Array>,
  file: string,
  start: number,
  end: number,
  options: LineOptions = {},
): AsyncGenerator<string[]> {
  const rules: Rules = { file, strict: options.invalidUtf8 === "error", maxLineBytes: options.maxLineBytes ?? 256 * 1024 * 1024 };
  // L1: a range behind the first one starts a byte early and drops what ends at the first newline: if that byte is a newline,
  // nothing is dropped.
  let dropping = start > 0;
  let offset = start > 0 ? start - 1 : 0; // of the first byte in `rest`
  let rest: Buffer[] = [];
  let restLength = 0;

  for await (const bytes of blocks) {
    let block = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const first = block.indexOf(NEWLINE);
    if (first < 0) {
      restLength += block.length;
      if (dropping) {
        if (offset + restLength >= end) return; // the next line starts behind this range
        continue;
      }
      if (restLength > rules.maxLineBytes + 1) throw tooLong(offset, rules); // one byte may turn out to be a `\r`
      rest.push(Buffer.from(block));
      continue;
    }
    const last = block.lastIndexOf(NEWLINE);
    const tail = Buffer.from(block.subarray(last + 1));
    block = block.subarray(0, last + 1);
    let length = block.length + restLength;
    if (dropping) {
      dropping = false;
      offset += restLength + first + 1;
      block = block.subarray(first + 1);
      length = block.length;
    } else if (restLength > 0) {
      block = Buffer.concat([...rest, block]);
    }
    const { lines, done } = decodeLines(block, offset, end, rules);
    if (lines.length > 0) yield lines;
    if (done) return;
    offset += length;
    if (offset >= end) return;
    rest = [tail];
    restLength = tail.length;
  }
  if (!dropping && restLength > 0 && offset < end) {
    // The last line needs no newline; with one it is like all others.
    const { lines } = decodeLines(Buffer.concat([...rest, Buffer.of(NEWLINE)]), offset, end, rules);
    yield lines;
  }
}

interface Rules {
  readonly file: string;
  readonly strict: boolean;
  readonly maxLineBytes: number;
}

/** Lines of a block that ends with a newline, as far as they start before `end`. */
function decodeLines(block: Buffer, offset: number, end: number, rules: Rules): { lines: string[]; done: boolean } {
  const lines: string[] = [];
  const ascii = isAscii(block);
  let from = 0;
  while (from < block.length) {
    if (offset + from >= end) return { lines, done: true };
    const newline = block.indexOf(NEWLINE, from);
    const to = newline > from && block[newline - 1] === CARRIAGE_RETURN ? newline - 1 : newline;
    if (to - from > rules.maxLineBytes) throw tooLong(offset + from, rules);
    lines.push(ascii ? block.latin1Slice(from, to) : decodeUtf8(block, from, to, offset, rules));
    from = newline + 1;
  }
  return { lines, done: false };
}

// Each line is decoded by itself: words sliced from it then keep a line alive, not a block.
function decodeUtf8(block: Buffer, from: number, to: number, offset: number, { file, strict }: Rules): string {
  if (strict && !isUtf8(block.subarray(from, to)))
    throw new Error(
      `${file}: the line at byte ${offset + from} is not UTF-8; read it with { invalidUtf8: "replace" } to replace what is invalid`,
    );
  return block.utf8Slice(from, to);
}

function tooLong(offset: number, { file, maxLineBytes }: Rules): Error {
  return new Error(`${file}: the line at byte ${offset} is longer than ${maxLineBytes} bytes; raise maxLineBytes if that is meant`);
}
