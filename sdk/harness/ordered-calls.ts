// Calls of one user function that do not finish synchronously, and the elements that wait behind them.
//
// C1. Results are delivered in the order of their elements, whatever order they settle in.
// C2. At most `concurrency` calls are under way; elements beyond are kept in `waiting`, and `blocked` asks for a pause.
// C3. After a failure nothing more is delivered; the failure surfaces in `blocked` and `settled`.
import type { ElementMeta } from "../../portability/values/index.js";
import { Fifo } from "./fifo.js";

/** One call whose result is not delivered yet; `C` is what the operator keeps with it. */
export interface Call<C> {
  readonly value: unknown;
  readonly meta: ElementMeta;
  context: C;
  settled: boolean;
  result: unknown;
}

/** What an operator does with its calls. */
export interface CallHandler<C> {
  /** Calls the user function for an element that waited; returns its context and its raw result. */
  invoke(value: unknown, meta: ElementMeta, isHead: boolean): { context: C; result: unknown };
  /** Sends a settled result downstream; a promise when it has to pause on the way. */
  deliver(call: Call<C>): Promise<void> | void;
  /** A call that has not settled is now the first one: what it sends needs to wait no longer. */
  lead?(call: Call<C>): void;
  /** A call whose result is not wanted any more. */
  drop?(call: Call<C>): void;
  /** Told of every call that goes on after it has returned. */
  waits(): void;
  /** Told once, of the failure that ends the bundle. */
  failed(error: Error): void;
  wrap(cause: unknown, value: unknown): Error;
}

interface Listener {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  /** Waits for room for one more element, not for the end of everything. */
  readonly room: boolean;
}

export class OrderedCalls<C> {
  private readonly calls = new Fifo<Call<C>>();
  private readonly waitingValues = new Fifo<unknown>();
  private readonly waitingMetas = new Fifo<ElementMeta>();
  private delivering = false;
  private failure: Error | undefined;
  private listeners: Listener[] = [];

  /** Whether elements must go through {@link wait}. A field, since it is read for every element. */
  busy = false;

  constructor(
    private readonly concurrency: number,
    private readonly handler: CallHandler<C>,
  ) {}

  /** Adds a call that user code has just answered with a promise. Nothing else may be under way. */
  add(value: unknown, meta: ElementMeta, context: C, result: PromiseLike<unknown>): void {
    this.handler.waits();
    this.busy = true;
    const call: Call<C> = { value, meta, context, settled: false, result: undefined };
    this.calls.push(call);
    this.track(call, result);
    this.notify();
  }

  /** Adds a call whose result is being delivered, and paused. Nothing else may be under way. */
  addPaused(value: unknown, meta: ElementMeta, context: C, rest: Promise<void>): void {
    this.handler.waits();
    this.busy = true;
    const call: Call<C> = { value, meta, context, settled: true, result: undefined };
    this.calls.push(call);
    this.awaitDelivery(call, rest);
  }

  /** Keeps an element until the calls before it allow one more. */
  wait(value: unknown, meta: ElementMeta): void {
    if (this.failure !== undefined) return;
    this.waitingValues.push(value);
    this.waitingMetas.push(meta);
    if (!this.delivering) this.advance();
  }

  /** Whether one more element would have to wait for calls to settle. */
  get full(): boolean {
    return this.failure !== undefined || this.waitingValues.length > 0 || this.calls.length >= this.concurrency;
  }

  /** The first element whose call has not settled. */
  pending(): { readonly value: unknown } | undefined {
    return this.failure === undefined && this.calls.first?.settled === false ? this.calls.first : undefined;
  }

  blocked(): Promise<void> | undefined {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return this.full ? this.listen(true) : undefined;
  }

  settled(): Promise<void> | undefined {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return this.busy ? this.listen(false) : undefined;
  }

  abort(): void {
    this.end(new Error("bundle aborted"));
  }

  private fail(error: Error): void {
    if (this.failure !== undefined) return;
    this.handler.failed(error);
    this.end(error);
  }

  private end(error: Error): void {
    this.failure ??= error;
    this.busy = true;
    for (let call = this.calls.shift(); call !== undefined; call = this.calls.shift()) this.handler.drop?.(call);
    this.waitingValues.clear();
    this.waitingMetas.clear();
    for (const listener of this.listeners.splice(0)) listener.reject(this.failure);
  }

  private track(call: Call<C>, result: unknown): void {
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
      (cause: unknown) => this.fail(this.handler.wrap(cause, call.value)),
    );
  }

  // C1: only the head is delivered; a delivery that pauses is continued by its promise.
  private advance(): void {
    try {
      for (;;) {
        this.startWaiting();
        const head = this.calls.first;
        if (head === undefined || !head.settled || this.failure !== undefined) break;
        const rest = this.handler.deliver(head);
        if (rest !== undefined) {
          this.awaitDelivery(head, rest);
          break;
        }
        this.removeHead();
      }
    } catch (error) {
      this.fail(error as Error);
    }
    this.busy = this.failure !== undefined || this.calls.length > 0;
    this.notify();
  }

  private awaitDelivery(head: Call<C>, rest: Promise<void>): void {
    this.delivering = true;
    rest.then(
      () => {
        this.delivering = false;
        if (this.failure !== undefined) return;
        this.handler.drop?.(head);
        this.removeHead();
        this.advance();
      },
      (error: unknown) => {
        this.delivering = false;
        this.fail(error instanceof Error ? error : this.handler.wrap(error, head.value));
      },
    );
  }

  private removeHead(): void {
    this.calls.shift();
    const head = this.calls.first;
    if (head === undefined || head.settled || this.handler.lead === undefined) return;
    try {
      this.handler.lead(head);
    } catch (error) {
      this.fail(error as Error);
    }
  }

  private startWaiting(): void {
    while (this.waitingValues.length > 0 && this.calls.length < this.concurrency) {
      const value = this.waitingValues.shift();
      const meta = this.waitingMetas.shift() as ElementMeta;
      const { context, result } = this.handler.invoke(value, meta, this.calls.length === 0);
      const call: Call<C> = { value, meta, context, settled: false, result: undefined };
      this.calls.push(call);
      this.track(call, result);
    }
  }

  private listen(room: boolean): Promise<void> {
    return new Promise((resolve, reject) => this.listeners.push({ resolve, reject, room }));
  }

  private notify(): void {
    if (this.listeners.length === 0) return;
    const idle = !this.busy;
    const room = !this.full;
    const kept: Listener[] = [];
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
