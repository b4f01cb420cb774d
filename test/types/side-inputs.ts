// Compiled by `npm run verify`, never executed: the view that each declared side input has, and that nothing else is there.
import {
  asIterable,
  asList,
  asMap,
  asMultimap,
  asSingleton,
  filter,
  flatMap,
  map,
  output,
  parDo,
  type KV,
  type PCollection,
} from "beamstorm";
import { expectType, type Equal } from "./equal.js";

declare const numbers: PCollection<number>;
declare const rates: PCollection<KV<string, number>>;

const mapped = numbers.apply(
  map(
    (n, { table, multi, list, each, one, other, timestamp }) => {
      expectType<Equal<typeof n, number>>(true);
      expectType<Equal<typeof table, ReadonlyMap<string, number>>>(true);
      expectType<Equal<typeof multi, ReadonlyMap<string, readonly number[]>>>(true);
      expectType<Equal<typeof list, readonly number[]>>(true);
      expectType<Equal<typeof each, Iterable<number>>>(true);
      expectType<Equal<typeof one, number>>(true);
      expectType<Equal<typeof other, number | null>>(true);
      expectType<Equal<typeof timestamp, number>>(true);
      return `${n}`;
    },
    {
      concurrency: 2,
      with: {
        table: asMap(rates),
        multi: asMultimap(rates),
        list: asList(numbers),
        each: asIterable(numbers),
        one: asSingleton(numbers),
        other: asSingleton(numbers, { default: null }),
      },
    },
  ),
);
expectType<Equal<typeof mapped, PCollection<string>>>(true);

const flat = numbers.apply(flatMap((n, { list }) => [n, ...list].map(String), { with: { list: asList(numbers) } }));
expectType<Equal<typeof flat, PCollection<string>>>(true);

const kept = numbers.apply(filter("known", (n, { list }) => list.includes(n), { with: { list: asList(numbers) } }));
expectType<Equal<typeof kept, PCollection<number>>>(true);

const looked = numbers.apply(
  parDo({
    outputs: output<number>(),
    with: { table: asMap(rates) },
    process: (n, { table }) => {
      expectType<Equal<typeof table, ReadonlyMap<string, number>>>(true);
      return [n];
    },
  }),
);
expectType<Equal<typeof looked, PCollection<number>>>(true);

// @ts-expect-error an undeclared side input
numbers.apply(map((n, { missing }) => [n, missing]));
// @ts-expect-error another name than the declared one
numbers.apply(map((n, { rate }) => [n, rate], { with: { rates: asMap(rates) } }));
// @ts-expect-error a PCollection is no side input by itself
numbers.apply(map((n) => n, { with: { rates } }));
// @ts-expect-error only keyed elements can be read as a map
numbers.apply(map((n) => n, { with: { rates: asMap(numbers) } }));
// @ts-expect-error the values of the map are numbers
numbers.apply(map((n, { table }) => table.get("eur")?.length ?? n, { with: { table: asMap(rates) } }));
