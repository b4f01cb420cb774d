import { create, eventTimer, filter, kv, parDo, pipeline, run, statefulParDo, type Emit, type KV } from "beamstorm";
import { local } from "beamstorm/local";
import { expectEqual, type Work } from "../work.js";

const BLOCKS = 100;
const blocks = Array.from({ length: BLOCKS }, (_, block) => block);

let size = 0;
let fired = 0;

const definition = pipeline((p) =>
  p
    .apply(create(blocks))
    .apply(
      parDo("readings", {
        process(block: number, { emit }: { emit: Emit<KV<number, number>> }) {
          const end = ((block + 1) * size) / BLOCKS;
          for (let i = (block * size) / BLOCKS; i < end; i++) emit(kv(i, (i * 7919) % 1_000_003));
        },
      }),
    )
    .apply(
      statefulParDo("set and fire", {
        timers: { due: eventTimer() },
        process: ({ value: at }, { timers }) => timers.due.set(at),
        onTimer: { due: (_timer, { emit }) => emit(1) },
      }),
    )
    .apply(
      filter("count", () => {
        fired++;
        return false;
      }),
    ),
);

export const work: Work = {
  title: "timers of event time, each of another key: set in any order, and fired in the order of their times",
  unit: "timers",
  target: "1 M timers/s",
  size: 2_000_000,
  quickSize: 1_000_000,
  warmUpSize: 300_000,
  sides: [
    {
      name: "Beamstorm",
      async run(timers) {
        size = timers;
        fired = 0;
        await run(definition, {}, local());
        expectEqual(fired, timers, "timers that fired");
      },
    },
  ],
};
