// A pipeline for tests of worker processes: sums numbers by key, and misbehaves in its map if asked to.
import { create, flatMap, groupByKey, map, option, pipeline } from "../../../sdk/index.js";
import { kv } from "../../../portability/values/index.js";

const misdeeds: Record<string, () => void | Promise<void>> = {
  none: () => {},
  throw: () => {
    throw new RangeError("not this one");
  },
  exit: () => process.exit(3),
  die: () => void process.kill(process.pid, "SIGKILL"),
  wait: () => new Promise(() => {}),
  announce: () => {
    console.log(`worker ${process.pid}`);
    return new Promise(() => {});
  },
  spin: () => {
    for (;;);
  },
};

export default pipeline({
  options: { misdeed: option.string({ default: "none", help: "what to do wrong" }) },
  build: (p, { misdeed }) =>
    p
      .apply(create([0, 1, 2, 3]))
      .apply(flatMap("numbers", (start: number) => Array.from({ length: 1000 }, (_, i) => kv(`key ${i % 50}`, start * 1000 + i))))
      .apply(groupByKey())
      .apply(
        map("sum", ({ key, value }) =>
          kv(
            key,
            [...value].reduce((sum, n) => sum + n, 0),
          ),
        ),
      )
      .apply(
        map("misbehave", async (pair) => {
          await misdeeds[misdeed]();
          return pair;
        }),
      ),
});
