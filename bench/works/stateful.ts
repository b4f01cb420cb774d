import { create, filter, kv, parDo, pipeline, run, statefulParDo, value, type Emit, type KV } from "beamstorm";
import { local } from "beamstorm/local";
import { expectEqual, type Side, type Work } from "../work.js";

const KEYS = 1_000_000;
const BLOCKS = 100;
const blocks = Array.from({ length: BLOCKS }, (_, block) => block);

let size = 0;
let last = 0;

const ours = <K>(name: string, keyOf: (i: number) => K): Side => {
  const definition = pipeline((p) =>
    p
      .apply(create(blocks))
      .apply(
        parDo("readings", {
          process(block: number, { emit }: { emit: Emit<KV<K, number>> }) {
            const end = ((block + 1) * size) / BLOCKS;
            for (let i = (block * size) / BLOCKS; i < end; i++) emit(kv(keyOf((i * 7919) % KEYS), 1));
          },
        }),
      )
      .apply(
        statefulParDo("count", {
          state: { seen: value<number>() },
          process({ value: n }, { state, emit }) {
            const seen = (state.seen.read() ?? 0) + n;
            state.seen.write(seen);
            emit(seen);
          },
        }),
      )
      .apply(
        filter("add up", (seen) => {
          last += seen as number;
          return false;
        }),
      ),
  );
  return {
    name,
    peerOf: name, // neither is a yardstick for the other
    async run(elements) {
      size = elements;
      last = 0;
      await run(definition, {}, local());
      // Each of the million keys has counted to the same number, or to one more.
      const each = Math.floor(elements / KEYS);
      const more = elements % KEYS;
      expectEqual(last, (KEYS * each * (each + 1)) / 2 + more * (each + 1), "sum of all counts");
    },
  };
};

export const work: Work = {
  title: "a value of state, read and written for each element, over a million keys",
  unit: "elements",
  target: "500 k elements/s",
  size: 5_000_000,
  quickSize: 2_000_000,
  warmUpSize: 500_000,
  sides: [ours("number keys", (i) => i), ours("text keys", (i) => `customer-${i}`)],
};
