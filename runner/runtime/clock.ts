import { InstantQueue } from "../windows/index.js";

/** Processing time, in milliseconds. */
export interface Clock {
  now(): number;
  /** Has `fn` called once `now()` has reached `at`; gives a function that takes it back. */
  callAt(at: number, fn: () => void): () => void;
}

/** The longest time that the system's timers take. */
const MAX_DELAY = 2 ** 31 - 1;

/** The system's time of day. What waits for it keeps the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  callAt(at, fn) {
    let timer: NodeJS.Timeout;
    const wait = (): void => {
      const left = at - Date.now();
      if (left <= 0) fn();
      else timer = setTimeout(wait, Math.min(left, MAX_DELAY));
    };
    timer = setTimeout(wait, Math.min(Math.max(0, at - Date.now()), MAX_DELAY));
    return () => clearTimeout(timer);
  },
};

/** A clock that stands still until it is told to move: for tests of what depends on processing time. Starts at zero. */
export class VirtualClock implements Clock {
  private time = 0;
  private readonly waiting = new InstantQueue<{ fn: (() => void) | undefined }>();

  now(): number {
    return this.time;
  }

  callAt(at: number, fn: () => void): () => void {
    const call: { fn: (() => void) | undefined } = { fn };
    this.waiting.add(at, call);
    return () => {
      call.fn = undefined;
    };
  }

  /** Moves on to the next instant that somebody waits for; false if nobody waits. */
  advanceToNext(): boolean {
    while (this.waiting.peek()?.fn === undefined && this.waiting.size > 0) this.waiting.take();
    if (this.waiting.size === 0) return false;
    this.advance(Math.max(0, this.waiting.next - this.time));
    return true;
  }

  /** Moves by as many milliseconds, and calls back whoever waited for that. */
  advance(ms: number): void {
    this.time += ms;
    for (let call = this.waiting.takeReached(this.time); call !== undefined; call = this.waiting.takeReached(this.time)) call.fn?.();
  }
}
