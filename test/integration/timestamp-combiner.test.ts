import { create, combinePerKey, fixed, kv, map, pipeline, run, windowInto, withTimestamps } from "../../sdk/index.js";
import { assertElements } from "../../sdk/testing/index.js";
import { local } from "../../local/index.js";

describe("the timestamp of a combined group", () => {
  for (const [timestampCombiner, expected] of [
    ["earliest", 3],
    ["latest", 8],
    ["end-of-window", 9],
  ] as const)
    it(`is that of the ${timestampCombiner} element's choice, although values are combined before they are grouped`, async () => {
      const definition = pipeline((p) =>
        p
          .apply(create([5, 3, 8]))
          .apply(withTimestamps((n) => n))
          .apply(windowInto(fixed(10), { timestampCombiner }))
          .apply(map((n) => kv("key", n)))
          .apply(combinePerKey((a, b) => a + b))
          .apply(map(({ value }, { timestamp }) => [value, timestamp]))
          .apply(assertElements([[16, expected]])),
      );
      await run(definition, {}, local());
    });
});
