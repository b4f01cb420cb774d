import { isAscii } from "node:buffer";

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;

/** A line was longer than allowed. */
export class LongLineError extends Error {
  override readonly name = "LongLineError";
}

/** Takes a line, the size of its text in bytes, and of all that it is made of, its end included. */
export type DeliverLine = (line: string, bytes: number, taken: number) => void;

/**
 * Cuts bytes that arrive bit by bit into lines: `\n` ends a line and is not part of it, nor is a `\r` before it. What is not UTF-8 becomes U+FFFD.
 *
 * - L1. What is kept is the beginning of one line, and bounded by `maxLineBytes`.
 */
export class LineSplitter {
  private rest: Buffer[] = [];
  private restBytes = 0;

  constructor(public maxLineBytes: number) {}

  /** Takes bytes, which it does not keep, and delivers the lines that are complete. @throws LongLineError */
  push(chunk: Buffer, deliver: DeliverLine): void {
    let from = 0;
    for (let newline = chunk.indexOf(NEWLINE); newline >= 0; newline = chunk.indexOf(NEWLINE, from)) {
      const line = chunk.subarray(from, newline);
      from = newline + 1;
      this.deliver(this.restBytes === 0 ? line : Buffer.concat([...this.takeRest(), line]), 1, deliver);
    }
    if (from === chunk.length) return;
    this.rest.push(Buffer.from(chunk.subarray(from)));
    this.restBytes += chunk.length - from;
    if (this.restBytes > this.maxLineBytes + 1) throw this.tooLong(); // L1; one byte may turn out to be a `\r`
  }

  /** The input is over: what is left is a line without its end. */
  end(deliver: DeliverLine): void {
    if (this.restBytes > 0) this.deliver(Buffer.concat(this.takeRest()), 0, deliver);
  }

  /** Forgets the beginning of a line. */
  reset(): void {
    this.takeRest();
  }

  private deliver(line: Buffer, endBytes: number, deliver: DeliverLine): void {
    const length = line.length > 0 && line[line.length - 1] === CARRIAGE_RETURN ? line.length - 1 : line.length;
    if (length > this.maxLineBytes) throw this.tooLong();
    deliver(isAscii(line) ? line.latin1Slice(0, length) : line.utf8Slice(0, length), length, line.length + endBytes);
  }

  private takeRest(): Buffer[] {
    const { rest } = this;
    this.rest = [];
    this.restBytes = 0;
    return rest;
  }

  private tooLong(): LongLineError {
    return new LongLineError(`a line is longer than ${this.maxLineBytes} bytes; raise maxLineBytes if that is meant`);
  }
}
