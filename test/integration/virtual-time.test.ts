// Processing time that goes on by itself: hours of it in no time.
import assert from "node:assert/strict";
import {
  countGlobally,
  fixed,
  global,
  hours,
  map,
  minutes,
  output,
  periodicImpulse,
  processingTimer,
  repeatedly,
  afterDelay,
  seconds,
  sequence,
  statefulParDo,
  value,
  windowInto,
  withKeys,
} from "../../sdk/index.js";
import { runPipeline, testStream } from "../../local/testing.js";

describe("virtual time", () => {
  it("goes on to what is due next, so that sources by the clock take no time", async () => {
    const counts = await runPipeline(
      (p) =>
        p
          .apply(sequence({ to: 7200, perSecond: 1 }))
          .apply(windowInto(fixed(hours(1))))
          .apply(countGlobally())
          .apply(map((n, { window }) => `${n} until ${window.maxTimestamp + 1}`)),
      { virtualTime: true },
    );
    assert.deepEqual(counts.sort(), [`3600 until ${hours(1)}`, `3600 until ${hours(2)}`]);
  });

  it("is what timers and triggers wait for", async () => {
    const found = await runPipeline(
      (p) => {
        const ticks = p.apply(periodicImpulse({ everyMs: minutes(1), from: 0, to: minutes(10) }));
        return {
          panes: ticks
            .apply(windowInto(global(), { trigger: repeatedly(afterDelay(minutes(2.5))) }))
            .apply(countGlobally())
            .apply(map((n) => n)),
          loop: ticks.apply(withKeys(() => "key")).apply(
            statefulParDo({
              state: { last: value<number>() },
              timers: { silence: processingTimer() },
              outputs: output<string>(),
              process(_tick, { timers, state, timestamp }) {
                if (state.last.read() === undefined) timers.silence.after(seconds(90), { outputTimestamp: "none" });
                state.last.write(timestamp);
              },
              onTimer: { silence: ({ fireAt }, { state, emit }) => emit(`at ${fireAt}, last ${state.last.read()}`) },
            }),
          ),
        };
      },
      { virtualTime: true },
    );
    assert.deepEqual(found.loop, [`at ${seconds(90)}, last ${seconds(60)}`]);
    assert.equal(
      found.panes.reduce((a, b) => a + b, 0),
      10,
    );
    assert.deepEqual(found.panes.slice(0, 3), [3, 3, 3], "a pane two and a half minutes behind the first tick in it");
  });

  it("goes on behind the end of a script", async () => {
    const ended = await runPipeline((p) => ({
      scripted: p.apply(testStream<string>().at(0, "a").advanceProcessingTime(5)),
      timed: p.apply(sequence({ to: 3, perSecond: 1 })),
    }));
    assert.deepEqual([ended.scripted, ended.timed], [["a"], [0, 1, 2]]);
  });
});
