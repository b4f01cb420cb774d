// Payments by card: what timers find in the state, what is left of it at the end of a window, and a rule that depends on the order of payments.
import {
  combining,
  countFn,
  eventTimers,
  fixed,
  map,
  flatten,
  orderedList,
  output as outputOf,
  pipeline,
  schema,
  seconds,
  set,
  statefulParDo,
  sumFn,
  value,
  windowInto,
  withKeys,
} from "beamstorm";
import { grouped, numbers, options, STEP, sum, upTo, writeResults } from "./parts.js";

const WINDOW = seconds(6);
const LOOK = seconds(1);
const cardOf = (n: number): number => (n * 7919) % 41;

/** At each full second of a card it is said what was paid in that second. */
const rules = statefulParDo("rules", {
  outputs: { looks: outputOf<string>(), days: outputOf<string>() },
  state: { payments: combining(countFn), spent: combining(sumFn), recent: orderedList(schema.double), seen: set(schema.int32) },
  timers: { look: eventTimers() },
  process({ value: n }: { key: number; value: number }, { state, timers, timestamp }) {
    state.payments.add(n);
    state.spent.add(n);
    state.seen.add(n);
    state.recent.add(timestamp, n);
    const second = Math.floor(timestamp / LOOK);
    timers.look.set(`${second}`, second * LOOK + LOOK - 1);
  },
  onTimer: {
    look({ key, tag }, { state, emit }) {
      const from = Number(tag) * LOOK;
      const paid = state.recent.read(from, from + LOOK).map((entry) => entry.value);
      emit.looks(`card ${key} at ${from}: ${sum(paid)} in ${paid.length}`);
      state.recent.clear(from, from + LOOK);
    },
  },
  onWindowExpiration: ({ key }, { state, window, emit }) =>
    emit.days(`card ${key} until ${window.maxTimestamp}: ${state.payments.read()} of ${state.seen.size}, ${state.spent.read()}`),
});

const next = (hash: number, n: number): number => (hash * 31 + n) % 1_000_003;

/** Payments of a card in their order. */
const inOrder = statefulParDo("in order", {
  requiresTimeSortedInput: true,
  state: { hash: value<number>() },
  outputs: outputOf<string>(),
  process: ({ value: n }: { key: number; value: number }, { state }) => state.hash.write(next(state.hash.read() ?? 0, n)),
  onWindowExpiration: ({ key }, { state, window, emit }) => emit(`order ${key} until ${window.maxTimestamp}: ${state.hash.read()}`),
});

export default pipeline({
  options,
  build(p, { output, ...given }) {
    const payments = p
      .apply(numbers(given))
      .apply(windowInto(fixed(WINDOW)))
      .apply(withKeys(cardOf));
    const { looks, days } = payments.apply(rules);
    p.apply(flatten([looks, days, payments.apply(inOrder)]))
      .apply(map("results", (result) => result))
      .apply(writeResults(output));
  },
});

export function expected(count: number): string[] {
  const all = upTo(count);
  const end = (n: number): number => (Math.floor((n * STEP) / WINDOW) + 1) * WINDOW - 1;
  const looks = [...grouped(all, (n) => `card ${cardOf(n)} at ${Math.floor((n * STEP) / LOOK) * LOOK}`)].map(
    ([name, some]) => `${name}: ${sum(some)} in ${some.length}`,
  );
  const days = [...grouped(all, (n) => `${cardOf(n)} until ${end(n)}`)].flatMap(([name, some]) => [
    `card ${name}: ${some.length} of ${some.length}, ${sum(some)}`,
    `order ${name}: ${some.reduce(next, 0)}`,
  ]);
  return [...looks, ...days];
}
