// Events of a job, in order, for any number of readers, within a bound.
//
// E1. A reader gets what is kept and then what comes, each event once and in order, until the end.
// E2. Events are kept up to a number of bytes; the oldest are forgotten, and nothing is kept for a reader that does not read. One that was slower
//     than that is told how many events it has missed, in their place.

/** Bytes that an event takes besides its text. */
const EVENT_BYTES = 100;

interface Kept<T> {
  readonly event: T;
  readonly bytes: number;
}

export class EventLog<T> {
  private readonly kept: Kept<T>[] = [];
  /** The number of the oldest event that is kept. */
  private first = 0;
  private keptBytes = 0;
  private ended = false;
  private readonly waiting = new Set<() => void>();

  constructor(
    private maxBytes: number,
    /** What stands for events that a reader has missed (E2). */
    private readonly missed: (count: number) => T | undefined = () => undefined,
  ) {}

  get bytes(): number {
    return this.keptBytes;
  }

  get last(): T | undefined {
    return this.kept.at(-1)?.event;
  }

  /** @param textBytes about how large it is */
  push(event: T, textBytes = 0): void {
    if (this.ended) return;
    const bytes = EVENT_BYTES + textBytes;
    this.kept.push({ event, bytes });
    this.keptBytes += bytes;
    this.forget();
    this.wake();
  }

  end(): void {
    this.ended = true;
    this.wake();
  }

  /** Keeps less from now on. */
  shrink(maxBytes: number): void {
    this.maxBytes = maxBytes;
    this.forget();
  }

  /** From the oldest event that is kept. */
  read(): AsyncIterable<T> {
    return new Reader(this, this.first);
  }

  /** From the last event. */
  readLast(): AsyncIterable<T> {
    return new Reader(this, this.first + Math.max(0, this.kept.length - 1));
  }

  /** @internal What a reader at this event comes to; undefined if there is nothing yet, done if there never will be. */
  at(position: number): { readonly event: T | undefined; readonly next: number } | "done" | undefined {
    if (position < this.first) return { event: this.missed(this.first - position), next: this.first };
    const kept = this.kept[position - this.first];
    if (kept !== undefined) return { event: kept.event, next: position + 1 };
    return this.ended ? "done" : undefined;
  }

  /** @internal Calls back once, when there is more or the end has come. */
  wait(callback: () => void): void {
    this.waiting.add(callback);
  }

  /** @internal */
  waitNoMore(callback: () => void): void {
    this.waiting.delete(callback);
  }

  /** E2; the last event always stays. */
  private forget(): void {
    while (this.keptBytes > this.maxBytes && this.kept.length > 1) {
      this.keptBytes -= this.kept.shift()!.bytes;
      this.first++;
    }
  }

  private wake(): void {
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const callback of waiting) callback();
  }
}

class Reader<T> implements AsyncIterable<T>, AsyncIterator<T, undefined> {
  private resolve: ((result: IteratorResult<T, undefined>) => void) | undefined;
  private isOver = false;

  constructor(
    private readonly log: EventLog<T>,
    private position: number,
  ) {}

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve) => {
      this.resolve = resolve;
      this.go();
    });
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.isOver = true;
    this.log.waitNoMore(this.go);
    this.resolve?.({ done: true, value: undefined });
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return this;
  }

  private readonly go = (): void => {
    const found = this.isOver ? "done" : this.log.at(this.position);
    if (found === undefined) return this.log.wait(this.go);
    if (found === "done") return this.resolve!({ done: true, value: undefined });
    this.position = found.next;
    if (found.event === undefined) return this.go();
    this.resolve!({ done: false, value: found.event });
  };
}
