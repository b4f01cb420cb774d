/**
 * A stream of messages that its producer pushes into: what a service hands out where the interface asks for an AsyncIterable.
 *
 * - Q1. Messages come out in the order in which they went in, each once. There is one reader.
 * - Q2. Pushing never waits: a producer that could outrun its reader looks at {@link bytes} and waits for {@link room}.
 * - Q3. After its end, or once its reader has gone, what is pushed is dropped.
 */
export class MessageQueue<T> implements AsyncIterable<T>, AsyncIterator<T, undefined> {
  private readonly waiting: { readonly message: T; readonly bytes: number }[] = [];
  private queuedBytes = 0;
  private ended = false;
  private failure: unknown;
  private reader: { resolve(result: IteratorResult<T, undefined>): void; reject(error: unknown): void } | undefined;
  private readonly roomWaiters: (() => void)[] = [];

  /** @param capacityBytes below this many waiting bytes there is {@link room} */
  constructor(
    private readonly capacityBytes = 4 << 20,
    /** Told once, when the reader stops before the end. */
    private readonly onAbandoned: () => void = () => {},
  ) {}

  /** Bytes pushed and not read yet, as told to {@link push}. */
  get bytes(): number {
    return this.queuedBytes;
  }

  /** Whether nothing more will be taken. */
  get closed(): boolean {
    return this.ended;
  }

  push(message: T, bytes = 0): void {
    if (this.ended) return; // Q3
    const { reader } = this;
    if (reader !== undefined) {
      this.reader = undefined;
      reader.resolve({ done: false, value: message });
      return;
    }
    this.waiting.push({ message, bytes });
    this.queuedBytes += bytes;
  }

  /** Nothing follows; what waits is still read. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.reader?.resolve({ done: true, value: undefined });
    this.reader = undefined;
    this.releaseRoom();
  }

  /** The reader gets an error once it has read what waits. */
  fail(error: unknown): void {
    if (this.ended) return;
    this.failure = error;
    this.ended = true;
    this.reader?.reject(error);
    this.reader = undefined;
    this.releaseRoom();
  }

  /** Undefined if there is room now, otherwise a promise that settles when there is, or at the end. */
  room(): Promise<void> | undefined {
    if (this.ended || this.queuedBytes < this.capacityBytes) return undefined;
    return new Promise((resolve) => this.roomWaiters.push(resolve));
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const first = this.waiting.shift();
    if (first !== undefined) {
      this.queuedBytes -= first.bytes;
      if (this.queuedBytes < this.capacityBytes) this.releaseRoom();
      return Promise.resolve({ done: false, value: first.message });
    }
    if (this.failure !== undefined) return Promise.reject(this.failure as Error);
    if (this.ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => (this.reader = { resolve, reject }));
  }

  return(): Promise<IteratorResult<T, undefined>> {
    if (!this.ended) {
      this.end();
      this.onAbandoned();
    }
    this.waiting.length = 0;
    this.queuedBytes = 0;
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return this;
  }

  private releaseRoom(): void {
    for (const resolve of this.roomWaiters.splice(0)) resolve();
  }
}
