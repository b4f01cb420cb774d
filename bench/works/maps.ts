import { create, filter, map, parDo, pipeline, run, sumGlobally, type PCollection } from "beamstorm";
import { local } from "beamstorm/local";
import { loadPeer, peerSink } from "../apache-beam.js";
import { expectEqual, type Work } from "../work.js";

const BLOCKS = 10;
const blocks = Array.from({ length: BLOCKS }, (_, block) => block);

let sum = 0;
let blockSize = 0;

const increment = (n: number): number => n + 1;
const double = (n: number): number => n * 2;
const decrement = (n: number): number => n - 1;

/** Of all 2n + 1 for n below `size`: the first `size` odd numbers. */
const expectSum = (size: number): void => expectEqual(sum, size * size, "the sum");

const mapped = (input: PCollection<number>): PCollection<number> =>
  input.apply(map("increment", increment)).apply(map("double", double)).apply(map("decrement", decrement));

const numbers = parDo("numbers", {
  process(block: number, { emit }: { emit: (n: number) => void }) {
    const end = (block + 1) * blockSize;
    for (let n = block * blockSize; n < end; n++) emit(n);
  },
});

const intoSink = pipeline((p) =>
  mapped(p.apply(create(blocks)).apply(numbers)).apply(
    filter("add up", (n) => {
      sum += n;
      return false;
    }),
  ),
);

const intoSum = pipeline((p) =>
  mapped(p.apply(create(blocks)).apply(numbers))
    .apply(sumGlobally())
    .apply(
      map("keep", (total) => {
        sum = total;
      }),
    ),
);

async function runOurs(definition: typeof intoSink, size: number): Promise<void> {
  sum = 0;
  blockSize = size / BLOCKS;
  await run(definition, {}, local());
  expectSum(size);
}

export const work: Work = {
  title: "three fused maps over numbers, made by ten calls of a ParDo; a last step adds each result up and drops it",
  unit: "elements",
  target: "25 M elements/s, 8 × apache-beam",
  size: 10_000_000,
  quickSize: 2_000_000,
  warmUpSize: 1_000_000,
  sides: [
    { name: "beamstorm", run: (size) => runOurs(intoSink, size) },
    { name: "beamstorm, sumGlobally as the last step", run: (size) => runOurs(intoSum, size) },
    {
      name: "hand-written loop",
      run(size) {
        sum = 0;
        blockSize = size / BLOCKS;
        for (const block of blocks) {
          const end = (block + 1) * blockSize;
          for (let n = block * blockSize; n < end; n++) sum += decrement(double(increment(n)));
        }
        expectSum(size);
      },
    },
    {
      name: "apache-beam",
      share: 0.1,
      async run(size) {
        sum = 0;
        peerSink.size = size / BLOCKS;
        peerSink.add = (n) => {
          sum += n;
        };
        const beam = loadPeer();
        await beam.run((root) => {
          root
            .apply(beam.create(blocks))
            .flatMap(function* numbers(block: number) {
              const { size: length } = (globalThis as any).peerSink;
              for (let n = block * length; n < (block + 1) * length; n++) yield n;
            })
            .map((n: number) => n + 1)
            .map((n: number) => n * 2)
            .map((n: number) => n - 1)
            .flatMap(function addUp(n: number) {
              (globalThis as any).peerSink.add(n);
              return [];
            });
        });
        expectSum(size);
      },
    },
  ],
};
