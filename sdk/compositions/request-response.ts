import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { called } from "../transforms/function-parts.js";
import { parDo } from "../transforms/par-do.js";
import { checkAboveZero, checkWhole } from "./limits.js";
import { Requests, type RequestCall, type RequestOptions } from "./requests.js";

/**
 * Asks a service about each element: one output for each, what `call` resolves to, in the order of the input. Calls overlap up to `concurrency`. One
 * that fails is tried again, after a pause that doubles; a request whose last call fails fails the bundle, or, with `withFailures`, becomes a
 * dead letter. Throttle and cache are those of a task, of which there may be several in each worker: to keep to a limit of the service, divide it by
 * how many there are.
 *
 * What a call does at the service is done again where a call or a bundle is tried again: it should bear that, for instance by an id of the request.
 *
 * @throws RangeError at construction for a limit that is none
 * @throws (at run time) UserCodeError with the error of the last call
 * @example
 * ```ts
 * const { output, failures } = orders.apply(
 *   withFailures(
 *     requestResponse("rates", ({ currency }: Order) => rates.of(currency), {
 *       retry: { attempts: 5, backoffMs: 200 },
 *       timeoutMs: seconds(5),
 *       throttle: { perSecond: 20 },
 *       cache: { maxEntries: 1000, ttlMs: minutes(10), keyOf: ({ currency }) => currency },
 *     }),
 *   ),
 * );
 * output.apply(map((rate) => rate * 100));
 * failures.apply(map(({ element, error }) => `${element.currency}: ${error.message}`));
 * ```
 */
export function requestResponse<Req, Res>(
  call: RequestCall<Req, Res>,
  options?: RequestOptions<Req>,
): PTransform<PCollection<Req>, PCollection<Res>>;
export function requestResponse<Req, Res>(
  name: string,
  call: RequestCall<Req, Res>,
  options?: RequestOptions<Req>,
): PTransform<PCollection<Req>, PCollection<Res>>;
export function requestResponse<Req, Res>(...args: Args<Req, Res>): PTransform<PCollection<Req>, PCollection<Res>> {
  return asking("requestResponse", args, (_request, response) => response);
}

/**
 * Each element with what a service says about it: as {@link requestResponse}, whose options it has, but for the output.
 *
 * @example
 * ```ts
 * orders
 *   .apply(enrich(({ currency }) => rates.of(currency), { cache: { maxEntries: 100, keyOf: ({ currency }) => currency } }))
 *   .apply(map(([{ amount }, rate]) => amount * rate));
 * ```
 */
export function enrich<T, Res>(
  call: RequestCall<T, Res>,
  options?: RequestOptions<T>,
): PTransform<PCollection<T>, PCollection<readonly [element: T, response: Res]>>;
export function enrich<T, Res>(
  name: string,
  call: RequestCall<T, Res>,
  options?: RequestOptions<T>,
): PTransform<PCollection<T>, PCollection<readonly [element: T, response: Res]>>;
export function enrich<T, Res>(...args: Args<T, Res>): PTransform<PCollection<T>, PCollection<readonly [element: T, response: Res]>> {
  return asking("enrich", args, (element, response) => [element, response] as const);
}

type Args<Req, Res> =
  [name: string, call: RequestCall<Req, Res>, options?: RequestOptions<Req>] | [call: RequestCall<Req, Res>, options?: RequestOptions<Req>];

function asking<Req, Res, Out>(
  defaultName: string,
  args: Args<Req, Res>,
  outputOf: (request: Req, response: Res) => Out,
): PTransform<PCollection<Req>, PCollection<Out>> {
  const [name, call, options = {}] =
    typeof args[0] === "string"
      ? [args[0], args[1] as RequestCall<Req, Res>, args[2]]
      : [undefined, args[0], args[1] as RequestOptions<Req> | undefined];
  if (typeof call !== "function") throw new TypeError(`${defaultName} needs a function that asks the service`);
  check(options);
  const { concurrency } = options;
  return called(
    name,
    defaultName,
    parDo({
      ...(concurrency === undefined ? {} : { concurrency }),
      setup: () => new Requests(call, options),
      process(request: Req, { local: requests }): Iterable<Out> | Promise<Iterable<Out>> {
        const response = requests.send(request);
        if (response instanceof Promise) return response.then((settled) => [outputOf(request, settled)]);
        return [outputOf(request, response)];
      },
      teardown: ({ local: requests }) => requests.close(),
    }),
  );
}

function check<Req>({ concurrency, timeoutMs, retry = {}, throttle, cache }: RequestOptions<Req>): void {
  const { attempts, backoffMs, maxBackoffMs, jitter } = retry;
  if (concurrency !== undefined) checkWhole("concurrency", concurrency, 1);
  if (timeoutMs !== undefined) checkAboveZero("timeoutMs", timeoutMs);
  if (attempts !== undefined) checkWhole("retry.attempts", attempts, 1);
  if (backoffMs !== undefined) checkAboveZero("retry.backoffMs", backoffMs);
  if (maxBackoffMs !== undefined) checkAboveZero("retry.maxBackoffMs", maxBackoffMs);
  if (jitter !== undefined && !(jitter >= 0 && jitter <= 1))
    throw new RangeError(`retry.jitter must be from 0 to 1, not ${String(jitter)}`);
  if (throttle !== undefined) {
    checkAboveZero("throttle.perSecond", throttle.perSecond);
    if (throttle.burst !== undefined) checkWhole("throttle.burst", throttle.burst, 1);
  }
  if (cache !== undefined) {
    checkWhole("cache.maxEntries", cache.maxEntries, 1);
    if (cache.ttlMs !== undefined) checkAboveZero("cache.ttlMs", cache.ttlMs);
  }
}
