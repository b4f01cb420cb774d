import { asMap, create, filter, flatMap, kv, map, pipeline, run } from "beamstorm";
import { local } from "beamstorm/local";
import { expectEqual, type Side, type Work } from "../work.js";

const ENTRIES = 1_000_000;
let lookups = 0;
let sum = 0;

/** Neighbours in time are no neighbours in the map. */
const entryOf = (i: number): number => (i * 999_983) % ENTRIES;
const numbered = (entry: number): number => entry * 7;
const named = (entry: number): string => `customer-${entry}`;

const pipelineOf = <K>(keyOf: (entry: number) => K) =>
  pipeline((p) => {
    const table = p.apply(create("table start", [ENTRIES])).apply(
      flatMap("entries", function* (entries) {
        for (let i = 0; i < entries; i++) yield kv(keyOf(i), i);
      }),
    );
    p.apply(create("lookups start", [0]))
      .apply(
        flatMap("lookups", function* () {
          for (let i = 0; i < lookups; i++) yield entryOf(i);
        }),
      )
      .apply(map("look up", (i, { customers }) => customers.get(keyOf(i)) ?? 0, { with: { customers: asMap(table) } }))
      .apply(
        filter("add up", (i) => {
          sum += i;
          return false;
        }),
      );
  });

function expectSum(size: number): void {
  let expected = 0;
  for (let i = 0; i < size; i++) expected += entryOf(i);
  expectEqual(sum, expected, "the sum");
}

const ours = <K>(name: string, keyOf: (entry: number) => K): Side => {
  const definition = pipelineOf(keyOf);
  return {
    name,
    async run(size) {
      lookups = size;
      sum = 0;
      await run(definition, {}, local());
      expectSum(size);
    },
  };
};

const loop = <K>(name: string, keyOf: (entry: number) => K): Side => ({
  name,
  run(size) {
    const table = new Map<K, number>();
    for (let i = 0; i < ENTRIES; i++) table.set(keyOf(i), i);
    sum = 0;
    for (let i = 0; i < size; i++) sum += table.get(keyOf(entryOf(i))) ?? 0;
    expectSum(size);
  },
});

export const work: Work = {
  title: "a look-up in a side input of a million entries for each element; building the map is part of the time",
  unit: "look-ups",
  target: "2 M look-ups/s",
  size: 10_000_000,
  quickSize: 4_000_000,
  warmUpSize: 100_000,
  sides: [
    ours("beamstorm, number keys", numbered),
    loop("hand-written loop, number keys", numbered),
    ours("beamstorm, text keys that are made for each look-up", named),
    loop("hand-written loop, text keys that are made for each look-up", named),
  ],
};
