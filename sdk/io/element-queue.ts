import type { EmitFromReader, ReaderContext, ReadResult } from "../model/source.js";

/** Beyond its size, what an element costs. */
const ELEMENT_BYTES = 64;

interface Queued<T> {
  readonly element: T;
  readonly bytes: number;
}

/**
 * What has come from outside and waits to be read: bounded, as long as whoever adds to it stops when it is full.
 *
 * - Q1. The reader is told of an element once, when the queue was empty before it.
 * - Q2. `onRoom` is called when a queue that was full is half empty again.
 */
export class ElementQueue<T> {
  onRoom: () => void = () => {};
  private elements: Queued<T>[] = [];
  private first = 0;
  private bytes = 0;
  private wasFull = false;
  /** Whether nothing may be added any more. */
  hasEnded = false;

  constructor(
    private readonly context: Pick<ReaderContext, "available">,
    private readonly maxBytes: number,
  ) {}

  add(element: T, bytes: number): void {
    const cost = bytes + ELEMENT_BYTES;
    this.bytes += cost;
    if (this.bytes >= this.maxBytes) this.wasFull = true;
    if (this.elements.push({ element, bytes: cost }) - this.first === 1) this.context.available(); // Q1
  }

  /** Nothing is added any more: the source is over when all has been read. */
  end(): void {
    this.hasEnded = true;
    this.context.available();
  }

  get isFull(): boolean {
    return this.bytes >= this.maxBytes;
  }

  read(emit: EmitFromReader<T>): ReadResult {
    const { elements } = this;
    while (this.first < elements.length) {
      const { element, bytes } = elements[this.first++];
      this.bytes -= bytes;
      if (!emit(element)) break;
    }
    if (this.first === elements.length || this.first >= 1024) {
      elements.splice(0, this.first);
      this.first = 0;
    }
    if (this.wasFull && this.bytes <= this.maxBytes / 2) {
      this.wasFull = false;
      this.onRoom(); // Q2
    }
    if (this.first < this.elements.length) return "more";
    return this.hasEnded ? "end" : "later";
  }
}
