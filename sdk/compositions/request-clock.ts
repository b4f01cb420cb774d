/** What requests wait by. */
export interface RequestClock {
  /** Milliseconds. */
  now(): number;
  /** Has `fn` called once `now()` has reached `at`; gives a function that takes it back. */
  callAt(at: number, fn: () => void): () => void;
}

/** The longest time that the system's timers take. */
const MAX_DELAY = 2 ** 31 - 1;

export const systemRequestClock: RequestClock = {
  now: () => Date.now(),
  callAt(at, fn) {
    const timer = setTimeout(fn, Math.min(Math.max(0, at - Date.now()), MAX_DELAY));
    return () => clearTimeout(timer);
  },
};

/** Resolves when so many milliseconds have passed; rejects with the signal's reason if that is given first. */
export function pause(ms: number, clock: RequestClock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const aborted = (): void => {
      takeBack();
      reject(signal.reason as Error);
    };
    const takeBack = clock.callAt(clock.now() + ms, () => {
      signal.removeEventListener("abort", aborted);
      resolve();
    });
    signal.addEventListener("abort", aborted, { once: true });
  });
}
