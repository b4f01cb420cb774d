/** The bytes of a file in pieces of any size. What is taken is the taker's own. */
export class ByteSource {
  private readonly blocks: AsyncIterator<Uint8Array>;
  private block: Uint8Array = new Uint8Array();
  private at = 0;

  constructor(blocks: AsyncIterable<Uint8Array>) {
    this.blocks = blocks[Symbol.asyncIterator]();
  }

  /** Whether nothing is left. */
  async atEnd(): Promise<boolean> {
    while (this.at === this.block.length) {
      const { done, value } = await this.blocks.next();
      if (done === true) return true;
      this.block = value;
      this.at = 0;
    }
    return false;
  }

  /** @throws RangeError when the file ends before */
  async take(length: number): Promise<Buffer> {
    if (length < 0) throw new RangeError("a length below 0");
    const pieces: Buffer[] = [];
    for (let missing = length; missing > 0;) {
      if (await this.atEnd()) throw new RangeError("the file ends early");
      const piece = this.block.subarray(this.at, this.at + missing);
      pieces.push(Buffer.from(piece)); // the block is reused
      this.at += piece.length;
      missing -= piece.length;
    }
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  }

  /** Avro's int or long, of a size that numbers hold exactly. */
  async varint(): Promise<number> {
    let sum = 0;
    for (let factor = 1; ; factor *= 128) {
      const [byte] = await this.take(1);
      sum += (byte & 0x7f) * factor;
      if (byte < 0x80) return sum % 2 === 0 ? sum / 2 : -(sum + 1) / 2;
      if (factor > 2 ** 42) throw new RangeError("a number is too large");
    }
  }

  async close(): Promise<void> {
    await this.blocks.return?.();
  }
}
