import { coGroupByKey, create, filter, flatMap, kv, pipeline, run, type PCollection, type Pipeline } from "beamstorm";
import { local } from "beamstorm/local";
import { expectEqual, type Work } from "../work.js";

const PAIRS_PER_KEY = 10;
const STRIDE = 999_983;
let pairs = 0;
let found = 0;
let keys = 0;

const side = (p: Pipeline, name: string): PCollection<ReturnType<typeof kv<string, number>>> =>
  p.apply(create(`${name} start`, [0])).apply(
    flatMap(name, function* () {
      const count = pairs / 2;
      for (let i = 0; i < count; i++) yield kv(`customer-${(i * STRIDE) % (count / PAIRS_PER_KEY)}`, i);
    }),
  );

const definition = pipeline((p) =>
  p.apply(coGroupByKey("meet", { left: side(p, "left"), right: side(p, "right") })).apply(
    filter("add up", ({ value: { left, right } }) => {
      for (const _ of left) found++;
      for (const _ of right) found++;
      keys++;
      return false;
    }),
  ),
);

export const work: Work = {
  title: "coGroupByKey of two times five million pairs, ten of each for each string key, in one process",
  unit: "pairs",
  target: "reported",
  size: 10_000_000,
  quickSize: 2_000_000,
  warmUpSize: 200_000,
  sides: [
    {
      name: "beamstorm",
      async run(size) {
        pairs = size;
        found = keys = 0;
        await run(definition, {}, local());
        expectEqual(found, size, "values in groups");
        expectEqual(keys, size / 2 / PAIRS_PER_KEY, "keys");
      },
    },
  ],
};
