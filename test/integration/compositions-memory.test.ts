// A long stream in the global window, each of whose keys is there for a moment: compositions forget them. Catches timers, state and records of keys that
// nothing waits for.
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { runPipeline, testStream } from "../../local/testing.js";
import { deduplicate, groupIntoBatches, intervalJoin, map, withKeys, type PCollection } from "../../sdk/index.js";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const STEPS = 120;
const KEYS = 500;
/** Each key comes twice in a step, so that whatever makes a pair of them is done with it. */
const ELEMENTS_PER_STEP = 2 * KEYS;

const forgetful: Readonly<Record<string, (numbers: PCollection<number>) => PCollection<unknown>>> = {
  "groupIntoBatches of what is complete": (numbers) =>
    numbers.apply(withKeys((n) => n)).apply(groupIntoBatches({ size: 2, maxBufferingMs: 1e6 })),
  "groupIntoBatches by time": (numbers) => numbers.apply(withKeys((n) => n)).apply(groupIntoBatches({ size: 3, maxBufferingMs: 20 })),
  "deduplicate in event time": (numbers) => numbers.apply(deduplicate({ durationMs: 20 })),
  "deduplicate in processing time": (numbers) => numbers.apply(deduplicate({ durationMs: 20, domain: "processing" })),
  intervalJoin: (numbers) => {
    const keyed = numbers.apply(withKeys((n) => n));
    return keyed.apply(intervalJoin(keyed, { beforeMs: 5, afterMs: 20 }));
  },
};

/** By how much the heap has grown from a third of the stream to its end; the script shrinks by what has come. */
async function growth(composition: (numbers: PCollection<number>) => PCollection<unknown>): Promise<number> {
  const script = testStream<number>();
  for (let step = 0; step < STEPS; step++) {
    const keys = Array.from({ length: ELEMENTS_PER_STEP }, (_, i) => step * KEYS + (i % KEYS));
    script
      .at(step * 10, ...keys)
      .watermark(step * 10)
      .advanceProcessingTime(10);
  }
  const heap: number[] = [];
  const measuredAt = new Set([Math.floor(STEPS / 3), STEPS - 1].map((step) => step * KEYS));
  await runPipeline((p) => {
    const numbers = p.apply(script);
    composition(numbers).apply(map("drop", () => undefined));
    const isMeasured = new Set<number>();
    return numbers
      .apply(
        map("measure", (n) => {
          if (!measuredAt.has(n) || isMeasured.has(n)) return;
          isMeasured.add(n);
          collectGarbage();
          heap.push(process.memoryUsage().heapUsed);
        }),
      )
      .apply(map("none", () => null));
  });
  assert.equal(heap.length, 2);
  return heap[1] - heap[0];
}

describe("compositions of a long stream", () => {
  let without = 0;
  before(async () => void (without = await growth((numbers) => numbers)));

  for (const [name, composition] of Object.entries(forgetful))
    it(`forget keys: ${name}`, async () => {
      const bytesPerKey = ((await growth(composition)) - without) / ((STEPS * KEYS * 2) / 3);
      assert.ok(bytesPerKey < 50, `${bytesPerKey.toFixed()} bytes are left of each key, where its record or timer takes some hundreds`);
    });
});
