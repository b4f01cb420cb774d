// Orders and payments joined by window, at the price of each window, which is a side input from a third stream; what comes of it goes in batches to
// a transform that requires stable input.
import {
  asSingleton,
  coGroupByKey,
  filter,
  fixed,
  flatMap,
  groupIntoBatches,
  map,
  output as outputOf,
  parDo,
  pipeline,
  seconds,
  sumGlobally,
  windowInto,
  withKeys,
  type KV,
  type PCollection,
} from "beamstorm";
import { numbers, options, STEP, sum, upTo, writeResults } from "./parts.js";

const WINDOW = seconds(2);
const KEYS = 17;

/** What has come to the transform is put out as it is. */
const charge = parDo({
  requiresStableInput: true,
  outputs: outputOf<string>(),
  process: ({ value: batch }: KV<number, string[]>, { emit }) => batch.forEach((one) => emit(one)),
});

export default pipeline({
  options,
  build(p, { output, ...given }) {
    const stream = (name: string): PCollection<number> => p.apply(numbers(given, name)).apply(windowInto(`${name} by time`, fixed(WINDOW)));
    const price = stream("prices")
      .apply(filter("some", (n) => n % 5 === 0))
      .apply(sumGlobally());
    const orders = stream("orders").apply(withKeys((n) => n % KEYS));
    const payments = stream("payments").apply(withKeys((n) => (n * 3) % KEYS));
    p.apply(coGroupByKey({ orders, payments }))
      .apply(
        flatMap(
          "match",
          ({ key, value }, { of, window }) => {
            const paid = sum([...value.payments]);
            return [...value.orders].map((order) => `order ${order} of ${key} until ${window.maxTimestamp}: ${paid} at ${of}`);
          },
          { with: { of: asSingleton(price) } },
        ),
      )
      .apply(withKeys((text) => text.length % 3))
      .apply(groupIntoBatches({ size: 25, maxBufferingMs: 100 }))
      .apply(charge)
      .apply(map("results", (one) => one))
      .apply(writeResults(output));
  },
});

export function expected(count: number): string[] {
  const windowOf = (n: number): number => Math.floor((n * STEP) / WINDOW);
  const prices: number[] = [];
  const paid = new Map<string, number>();
  const add = (key: string, n: number): void => void paid.set(key, (paid.get(key) ?? 0) + n);
  for (const n of upTo(count)) {
    if (n % 5 === 0) prices[windowOf(n)] = (prices[windowOf(n)] ?? 0) + n;
    add(`${windowOf(n)} ${(n * 3) % KEYS}`, n);
  }
  return upTo(count).map((n) => {
    const window = windowOf(n);
    const end = (window + 1) * WINDOW - 1;
    return `order ${n} of ${n % KEYS} until ${end}: ${paid.get(`${window} ${n % KEYS}`) ?? 0} at ${prices[window]}`;
  });
}
