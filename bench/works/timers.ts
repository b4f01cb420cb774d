import { eventTimer, filter, map, kv, output, pipeline, run, sequence, statefulParDo } from "beamstorm";
import { local } from "beamstorm/local";
import { expectEqual, type Side, type Work } from "../work.js";

/** Elements in a millisecond of event time. */
const PER_MILLISECOND = 100;

let fired = 0;

/** So many come in turn: the timer of each has fired before it comes again. */
const KEYS = 1_000_000;

/** Each element sets a timer, which fires as event time goes on. */
const ours = (name: string, delayMs: number): Side => ({
  name,
  peerOf: name,
  async run(timers) {
    fired = 0;
    await run(
      pipeline((p) =>
        p
          .apply(sequence({ to: timers, timestampOf: (n) => Math.floor(n / PER_MILLISECOND) }))
          .apply(map("keyed", (n) => kv(n % KEYS, n)))
          .apply(
            statefulParDo("set and fire", {
              timers: { due: eventTimer() },
              outputs: output<number>(),
              process: ({ value: n }, { timers: { due }, timestamp }) => due.set(timestamp + delayMs + ((n * 7919) % delayMs)),
              onTimer: { due: (_timer, { emit }) => emit(1) },
            }),
          )
          .apply(
            filter("count", () => {
              fired++;
              return false;
            }),
          ),
      ),
      {},
      local(),
    );
    expectEqual(fired, timers, "timers that fired");
  },
});

export const work: Work = {
  title: "timers of event time, set for each element and fired as time goes on",
  unit: "timers",
  target: "1 M timers/s",
  size: 5_000_000,
  quickSize: 1_000_000,
  warmUpSize: 500_000,
  sides: [ours("some thousands at a time", 40), ours("a hundred thousand at a time", 600)],
};
