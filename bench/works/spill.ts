import { create, filter, flatMap, groupByKey, kv, pipeline, run } from "beamstorm";
import { local } from "beamstorm/local";
import { expectEqual, type Work } from "../work.js";

const RECORD_BYTES = 1000;
const KEYS = 40_000;
const padding = "x".repeat(RECORD_BYTES - 10);
let records = 0;
let found = 0;

/** A fifth of all records has one key, and is iterated twice. */
const definition = pipeline((p) =>
  p
    .apply(create(["start"]))
    .apply(
      flatMap("records", function* () {
        for (let i = 0; i < records; i++) yield kv(i % 5 === 0 ? "hot" : `key-${i % KEYS}`, `${padding}${i}`);
      }),
    )
    .apply(groupByKey("group"))
    .apply(
      filter("count", ({ key, value }) => {
        for (const _ of value) found++;
        if (key === "hot") for (const _ of value) found++;
        return false;
      }),
    ),
);

export const work: Work = {
  title: "groupByKey of 5 GB, one key with 1 GB of it, in a process that is given 1 GB",
  unit: "bytes",
  target: "completes below 1 GB",
  size: 5_000_000_000,
  quickSize: 1_000_000_000,
  warmUpSize: 10_000_000,
  sides: [
    {
      name: "beamstorm",
      async run(size) {
        records = size / RECORD_BYTES;
        found = 0;
        await run(definition, {}, local({ memoryBytes: 2 ** 30 }));
        expectEqual(found, records + records / 5, "values");
      },
    },
  ],
};
