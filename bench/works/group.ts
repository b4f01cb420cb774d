import { create, filter, groupByKey, kv, parDo, pipeline, run, type KV } from "beamstorm";
import { local } from "beamstorm/local";
import { loadPeer, peerSink } from "../apache-beam.js";
import { expectEqual, type Work } from "../work.js";

const PAIRS_PER_KEY = 10;
const STRIDE = 999_983; // prime: neighbours in time are no neighbours in memory

let pairs = 0;
let groups = 0;
let found = 0;

const keyOf = (i: number): string => `customer-${(i * STRIDE) % (pairs / PAIRS_PER_KEY)}`;

const definition = pipeline((p) =>
  p
    .apply(create(["start"]))
    .apply(
      parDo("pairs", {
        process(_: string, { emit }: { emit: (pair: KV<string, number>) => void }) {
          for (let i = 0; i < pairs; i++) emit(kv(keyOf(i), i));
        },
      }),
    )
    .apply(groupByKey("group"))
    .apply(
      filter("add up", ({ value }) => {
        for (const _ of value) found++;
        groups++;
        return false;
      }),
    ),
);

function start(size: number): void {
  pairs = size;
  groups = found = 0;
}

function expectAll(size: number): void {
  expectEqual(found, size, "values in groups");
  expectEqual(groups, size / PAIRS_PER_KEY, "groups");
}

export const work: Work = {
  title: "groupByKey of pairs, ten for each string key, in one process",
  unit: "pairs",
  target: "completes below 4 GB; 0.45 M pairs/s",
  size: 10_000_000,
  quickSize: 2_000_000,
  warmUpSize: 200_000,
  comment: ({ residentBytes, idleBytes, size }) =>
    `${Math.round((residentBytes - idleBytes) / (size / PAIRS_PER_KEY))} bytes a key with its ${PAIRS_PER_KEY} values`,
  sides: [
    {
      name: "beamstorm",
      async run(size) {
        start(size);
        await run(definition, {}, local());
        expectAll(size);
      },
    },
    {
      name: "hand-written loop",
      run(size) {
        start(size);
        const byKey = new Map<string, number[]>();
        for (let i = 0; i < pairs; i++) {
          const key = keyOf(i);
          const values = byKey.get(key);
          if (values === undefined) byKey.set(key, [i]);
          else values.push(i);
        }
        for (const values of byKey.values()) {
          for (const _ of values) found++;
          groups++;
        }
        expectAll(size);
      },
    },
    {
      name: "apache-beam",
      share: 0.1,
      async run(size) {
        start(size);
        peerSink.size = size;
        peerSink.keyOf = keyOf;
        peerSink.add = (n) => {
          found += n;
          groups++;
        };
        const beam = loadPeer();
        await beam.run((root) => {
          root
            .apply(beam.create(["start"]))
            .flatMap(function* makePairs() {
              const { size: length, keyOf: key } = (globalThis as any).peerSink;
              for (let i = 0; i < length; i++) yield { key: key(i) as string, value: i };
            })
            .apply(beam.groupBy((pair: { key: string; value: number }) => pair.key))
            .flatMap(function addUp({ value }) {
              let n = 0;
              for (const _ of value) n++;
              (globalThis as any).peerSink.add(n);
              return [];
            });
        });
        expectAll(size);
      },
    },
  ],
};
