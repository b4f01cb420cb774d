import { create, filter, flatMap, kv, pipeline, run, topPerKey } from "beamstorm";
import { local } from "beamstorm/local";
import { expectEqual, type Work } from "../work.js";

const KEYS = 1000;
const TOP = 10;
let pairs = 0;
let sum = 0;

const definition = pipeline((p) =>
  p
    .apply(create(["start"]))
    .apply(
      flatMap("scores", function* () {
        for (let i = 0; i < pairs; i++) yield kv(`player-${i % KEYS}`, (i * 999_983) % 1_000_003);
      }),
    )
    .apply(topPerKey(TOP))
    .apply(
      filter("add up", ({ value }) => {
        sum += value.length;
        return false;
      }),
    ),
);

export const work: Work = {
  title: "the ten greatest of ten thousand numbers for each of a thousand keys",
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
        sum = 0;
        await run(definition, {}, local());
        expectEqual(sum, KEYS * TOP, "values");
      },
    },
  ],
};
