import { countPerKey, create, filter, fixed, kv, parDo, pipeline, run, seconds, windowInto, type Emit, type KV } from "beamstorm";
import { local } from "beamstorm/local";
import { expectEqual, type Side, type Work } from "../work.js";

const KEYS = 10_000;
const BLOCKS = 100;
/** Events in a millisecond of event time: a million in each window. */
const PER_MILLISECOND = 200;
const WINDOW = seconds(5);

let size = 0;
let counted = 0;
let groups = 0;

const blocks = Array.from({ length: BLOCKS }, (_, block) => block);
/** Neighbours in time have keys that are far apart. */
const keyOf = (i: number): number => (i * 7919) % KEYS;

const ours = <K>(name: string, keys: readonly K[]): Side => {
  const definition = pipeline((p) =>
    p
      .apply(create(blocks))
      .apply(
        parDo("readings", {
          process(block: number, { emit }: { emit: Emit<KV<K, number>> }) {
            const end = ((block + 1) * size) / BLOCKS;
            for (let i = (block * size) / BLOCKS; i < end; i++) emit(kv(keys[keyOf(i)], i), i / PER_MILLISECOND);
          },
        }),
      )
      .apply(windowInto(fixed(WINDOW)))
      .apply(countPerKey())
      .apply(
        filter("add up", ({ value }) => {
          counted += value;
          groups++;
          return false;
        }),
      ),
  );
  return {
    name,
    peerOf: name, // neither is a yardstick for the other
    async run(events) {
      size = events;
      counted = groups = 0;
      await run(definition, {}, local());
      expectEqual(counted, events, "counted events");
      expectEqual(groups, KEYS * Math.ceil(events / PER_MILLISECOND / WINDOW), "groups");
    },
  };
};

const numbers = Array.from({ length: KEYS }, (_, i) => i);
const texts = numbers.map((i) => `sensor-${i}`);

export const work: Work = {
  title: "events of ten thousand keys, counted by key in windows of five seconds of event time",
  unit: "events",
  target: "5 M events/s",
  size: 10_000_000,
  quickSize: 2_000_000,
  warmUpSize: 1_000_000,
  sides: [ours("number keys", numbers), ours("text keys", texts)],
};
