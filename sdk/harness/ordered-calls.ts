// Calls of one user function that do not finish synchronously, and the elements that wait behind them.
//
// C1. Results are delivered in the order of their elements, whatever order they settle in.
// C2. At most `concurrency` calls are under way; elements beyond are kept in `waiting`, and `blocked` asks for a pause.
// C3. After a failure nothing more is delivered; the failure surfaces in `blocked` and `settled`.
import type { ElementMeta } from "../../portability/values/index.js";

/** One call whose result is not delivered yet. */
export interface Call {
  readonly value: unknown;
  readonly meta: ElementMeta;
  settled: boolean;
  result: unknown;
  /** Outputs that a ParDo emitted before it was this call's turn; undefined once they go straight through. */
  held: unknown[] | undefined;
}

export class OrderedCalls {
  private readonly calls: Call[] = [];
  private readonly waitingValues: unknown[] = [];
  private readonly waitingMetas: ElementMeta[] = [];
  private delivering = false;
  private failure: Error | undefined;
  private listeners: { resolve: () => void; reject: (error: Error) => void; room: boolean }[] = [];

  constructor(
    private readonly concurrency: number,
    /** Calls the user function again for an element that waited; returns its raw result. */
    private readonly invoke: (call: Call) => unknown,
    /** Sends a settled result downstream; a promise when it has to pause on the way. */
    private readonly deliver: (call: Call) => Promise<void> | void,
    private readonly wrap: (cause: unknown, call: Call) => Error,
  ) {}

  /** Whether elements must go through {@link wait}. A field, since it is read for every element. */
  busy = false;

  /** Adds a call that user code has just answered with a promise, or whose result must be delivered in pieces. */
  add(call: Call, result: unknown): void {
    this.busy = true;
    this.calls.push(call);
    this.track(call, result);
    if (!this.delivering) this.advance();
  }

  /** Keeps an element until the calls before it allow one more. */
  wait(value: unknown, meta: ElementMeta): void {
    if (this.failure !== undefined) return;
    this.waitingValues.push(value);
    this.waitingMetas.push(meta);
    if (!this.delivering) this.advance();
  }

  /** The call whose turn it is to deliver. */
  isHead(call: Call): boolean {
    return this.calls[0] === call;
  }

  blocked(): Promise<void> | undefined {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return this.waitingValues.length > 0 || this.calls.length >= this.concurrency ? this.listen(true) : undefined;
  }

  settled(): Promise<void> | undefined {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return this.busy ? this.listen(false) : undefined;
  }

  abort(): void {
    this.fail(new Error("bundle aborted"));
  }

  fail(error: Error): void {
    this.failure ??= error;
    this.busy = true;
    this.calls.length = 0;
    this.waitingValues.length = 0;
    this.waitingMetas.length = 0;
    for (const listener of this.listeners.splice(0)) listener.reject(this.failure);
  }

  private track(call: Call, result: unknown): void {
    if (!isThenable(result)) {
      call.settled = true;
      call.result = result;
      return;
    }
    result.then(
      (value) => {
        call.settled = true;
        call.result = value;
        if (!this.delivering && this.failure === undefined) this.advance();
      },
      (cause: unknown) => this.fail(this.wrap(cause, call)),
    );
  }

  // C1: only the head is delivered; a delivery that pauses is continued by its promise.
  private advance(): void {
    try {
      for (;;) {
        this.startWaiting();
        const head = this.calls[0];
        if (head === undefined || !head.settled || this.failure !== undefined) break;
        const pause = this.deliver(head);
        if (pause !== undefined) {
          this.delivering = true;
          pause.then(
            () => {
              this.delivering = false;
              this.shift();
              this.advance();
            },
            (error: unknown) => {
              this.delivering = false;
              this.fail(error instanceof Error ? error : this.wrap(error, head));
            },
          );
          break;
        }
        this.shift();
      }
    } catch (error) {
      this.fail(error as Error);
    }
    this.busy = this.failure !== undefined || this.calls.length > 0 || this.delivering;
    this.notify();
  }

  private shift(): void {
    this.calls.shift();
  }

  private startWaiting(): void {
    while (this.waitingValues.length > 0 && this.calls.length < this.concurrency) {
      const call: Call = {
        value: this.waitingValues.shift(),
        meta: this.waitingMetas.shift() as ElementMeta,
        settled: false,
        result: undefined,
        held: [],
      };
      this.calls.push(call);
      this.track(call, this.invoke(call));
    }
  }

  private listen(room: boolean): Promise<void> {
    return new Promise((resolve, reject) => this.listeners.push({ resolve, reject, room }));
  }

  private notify(): void {
    if (this.listeners.length === 0) return;
    const idle = !this.busy;
    const room = this.waitingValues.length === 0 && this.calls.length < this.concurrency;
    const kept: typeof this.listeners = [];
    for (const listener of this.listeners) {
      if (idle || (listener.room && room)) listener.resolve();
      else kept.push(listener);
    }
    this.listeners = kept;
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return value !== null && typeof value === "object" && typeof (value as { then?: unknown }).then === "function";
}
