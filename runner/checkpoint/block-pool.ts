/** Bytes of a block. */
export const BLOCK_BYTES = 1 << 20;
/** Blocks that are made at once; what is not used of them is no memory yet. */
const BLOCKS_AT_ONCE = 16;
/** WebAssembly's unit of memory. */
const PAGE_BYTES = 64 << 10;

/** Node has it, but its types do not. */
interface WithWebAssembly {
  readonly WebAssembly: {
    readonly Memory: new (pages: { readonly initial: number; readonly maximum: number }) => { readonly buffer: ArrayBuffer };
  };
}

/** Where memory that files are written from is taken, and given back. */
export type Blocks = Pick<BlockPool, "take" | "giveBack">;

/** Memory that files are written from, used again and again: each block begins at a page of memory, as {@link BlockFile} wants it. */
export class BlockPool {
  private readonly free: Buffer[] = [];

  take(): Buffer {
    if (this.free.length === 0) this.free.push(...newBlocks());
    return this.free.pop()!;
  }

  /** It is not used any more. */
  giveBack(block: Buffer): void {
    this.free.push(block);
  }
}

/** Nothing else that JavaScript can allocate is known to begin at a page of memory. */
function newBlocks(): Buffer[] {
  const pages = (BLOCKS_AT_ONCE * BLOCK_BYTES) / PAGE_BYTES;
  const { Memory } = (globalThis as unknown as WithWebAssembly).WebAssembly;
  const { buffer } = new Memory({ initial: pages, maximum: pages });
  return Array.from({ length: BLOCKS_AT_ONCE }, (_, i) => Buffer.from(buffer, i * BLOCK_BYTES, BLOCK_BYTES));
}
