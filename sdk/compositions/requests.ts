// The requests of one task to a service.
//
// R1. A request is tried `attempts` times at most, each of which waits for its turn by the throttle, and ends by `timeoutMs`.
// R2. When the task is over nothing is called or waited for any more: what waits is rejected.
import { setMaxListeners } from "node:events";
import { PermanentError } from "../../portability/stage-host/index.js";
import { pause, systemRequestClock, type RequestClock } from "./request-clock.js";
import { ResponseCache } from "./response-cache.js";
import { TokenBucket, type ThrottleOptions } from "./throttle.js";

/** What a call is told beside the request. */
export interface RequestContext {
  /** Which attempt it is, from 1. */
  readonly attempt: number;
  /** Aborted when nobody waits for the response any more: it has taken too long, or the run is over. */
  readonly signal: AbortSignal;
}

/** When a request is tried again. */
export interface RetryOptions {
  /** Most calls for a request, the first included; default 3. */
  readonly attempts?: number;
  /** Milliseconds before the second call; twice as many before each further one. Default 100. */
  readonly backoffMs?: number;
  /** Most milliseconds between two calls; default 10 000. */
  readonly maxBackoffMs?: number;
  /** Which share of those is left to chance, from 0 to 1, so that tasks do not all come back at once; default 0.5. */
  readonly jitter?: number;
  /** Whether an error may pass; by default all may but a `PermanentError`, which is never tried again. */
  readonly retryIf?: (error: unknown) => boolean;
}

/** Which responses are kept, in each task. */
export interface CacheOptions<Req> {
  /** Most responses: the one that was asked for the longest ago makes room for another. */
  readonly maxEntries: number;
  /** For how many milliseconds a response is good; for ever by default. */
  readonly ttlMs?: number;
  /** What requests with the same response have in common: any plain value. Default: the request. */
  readonly keyOf?: (request: Req) => unknown;
}

/** How a service is asked. */
export interface RequestOptions<Req> {
  /** Most requests under way at a time in one task; further elements wait. Default 16. */
  readonly concurrency?: number;
  /** Milliseconds after which a call has failed; default 30 000. */
  readonly timeoutMs?: number;
  readonly retry?: RetryOptions;
  /** How often the service is called at most, by each task; as often as there is something to ask, by default. */
  readonly throttle?: ThrottleOptions;
  /** Without it each element is asked for. */
  readonly cache?: CacheOptions<Req>;
  /** What turns, pauses and lifetimes are measured by, for tests; the system's by default. */
  readonly clock?: RequestClock;
  /** Gives numbers from 0 up to 1, for tests; `Math.random` by default. */
  readonly random?: () => number;
}

/** A call of a service. */
export type RequestCall<Req, Res> = (request: Req, context: RequestContext) => Promise<Res>;

/**
 * A call that has taken too long.
 *
 * @example
 * ```ts
 * const options = { retry: { retryIf: (error: unknown) => error instanceof RequestTimeoutError } }; // whatever else fails, fails for good
 * orders.apply(requestResponse(({ currency }) => rates.of(currency), options));
 * ```
 */
export class RequestTimeoutError extends Error {
  override readonly name: string = "RequestTimeoutError";
  constructor(ms: number) {
    super(`no response within ${ms} ms`);
  }
}

export class Requests<Req, Res> {
  private readonly clock: RequestClock;
  private readonly cache: ResponseCache<Res> | undefined;
  private readonly keyOf: (request: Req) => unknown;
  private readonly bucket: TokenBucket | undefined;
  private readonly over = new AbortController();

  constructor(
    private readonly call: RequestCall<Req, Res>,
    private readonly options: RequestOptions<Req>,
  ) {
    const { cache, throttle, clock = systemRequestClock } = options;
    setMaxListeners(0, this.over.signal); // one for each request under way
    this.clock = clock;
    this.keyOf = cache?.keyOf ?? ((request) => request);
    if (cache !== undefined) this.cache = new ResponseCache(cache.maxEntries, cache.ttlMs ?? Infinity, () => clock.now());
    if (throttle !== undefined) this.bucket = new TokenBucket(throttle);
  }

  /** The response: at once if it is known. */
  send(request: Req): Res | Promise<Res> {
    const load = (): Promise<Res> => this.ask(request);
    return this.cache === undefined ? load() : this.cache.get(this.keyOf(request), load);
  }

  /** R2 */
  close(): void {
    this.over.abort(new Error("the task is over"));
  }

  /** R1 */
  private async ask(request: Req): Promise<Res> {
    const { attempts = 3, retryIf = () => true } = this.options.retry ?? {};
    for (let attempt = 1; ; attempt++) {
      const turnMs = this.bucket?.take(this.clock.now()) ?? 0;
      if (turnMs > 0) await pause(turnMs, this.clock, this.over.signal);
      try {
        return await this.attempt(request, attempt);
      } catch (cause) {
        if (this.over.signal.aborted || attempt >= attempts || cause instanceof PermanentError || !retryIf(cause)) throw cause;
      }
      await pause(this.backoffMs(attempt), this.clock, this.over.signal);
    }
  }

  private backoffMs(failed: number): number {
    const { backoffMs = 100, maxBackoffMs = 10_000, jitter = 0.5 } = this.options.retry ?? {};
    const { random = Math.random } = this.options;
    return Math.min(maxBackoffMs, backoffMs * 2 ** (failed - 1)) * (1 - jitter * random());
  }

  private async attempt(request: Req, attempt: number): Promise<Res> {
    const { timeoutMs = 30_000 } = this.options;
    this.over.signal.throwIfAborted();
    const given = new AbortController();
    let takeBack: (() => void) | undefined;
    const late = new Promise<never>((_, reject) => {
      const giveUp = (reason: Error): void => {
        given.abort(reason);
        reject(reason);
      };
      const ended = (): void => giveUp(this.over.signal.reason as Error);
      const cancel = this.clock.callAt(this.clock.now() + timeoutMs, () => giveUp(new RequestTimeoutError(timeoutMs)));
      this.over.signal.addEventListener("abort", ended, { once: true });
      takeBack = () => {
        cancel();
        this.over.signal.removeEventListener("abort", ended);
      };
    });
    try {
      return await Promise.race([this.call(request, { attempt, signal: given.signal }), late]);
    } finally {
      takeBack?.();
    }
  }
}
