import { counter, create, filter, flatMap, groupByKey, kv, option, pipeline, stringSet } from "beamstorm";

/** From which worker to which the values went, as `0→1`. */
const ways = stringSet("ways");
const arrived = counter("arrived");
const worker = (): string => process.env["BEAMSTORM_WORKER"] ?? "?";

/** All values under one key, so that all of them go to one task: that of the source's worker, or the other one's. */
export const hop = pipeline({
  options: { key: option.string(), size: option.int() },
  build: (p, { key, size }) =>
    p
      .apply(create(["start"]))
      .apply(
        flatMap("values", function* () {
          const from = worker();
          for (let i = 0; i < size; i++) yield kv(key, `${from} record ${i} of a hundred bytes or so ${"x".repeat(60)}`);
        }),
      )
      .apply(groupByKey("group"))
      .apply(
        filter("count", ({ value }) => {
          let n = 0;
          for (const each of value) {
            if (n++ === 0) ways.add(`${each[0]}→${worker()}`);
          }
          arrived.inc(n);
          return false;
        }),
      ),
});
