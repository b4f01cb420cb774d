import { Drawing, scale } from "./svg.mjs";
import { clock, probe, scripted, SECOND, VIRTUAL } from "./runs.mjs";

/** A timer whose output is at an earlier instant than it fires at: the watermark behind it waits there. */
export async function timerPicture(sdk) {
  const { runPipeline, eventTime, withKeys, statefulParDo, eventTimer } = sdk;
  const events = [0, 20, 40, 60, 80, 100, 120, 140].map((s) => [s, { at: s, sets: s === 40 }]);
  const { time, source } = scripted(
    sdk,
    events,
    eventTime(({ at }) => at * SECOND),
  );
  const before = [];
  const behind = [];
  const fired = [];
  await runPipeline(
    (p) =>
      p
        .apply(source)
        .apply(probe(sdk, "before", 139, (s) => before.push([time.now(), s])))
        .apply(withKeys("key", () => "all"))
        .apply(
          statefulParDo("waits", {
            timers: { later: eventTimer() },
            process({ value }, { timers, timestamp, emit }) {
              if (value.sets) timers.later.set(100 * SECOND, { outputTimestamp: timestamp });
              emit("element");
            },
            onTimer: {
              later(_timer, { timestamp, emit }) {
                fired.push({ at: time.now(), timestamp: timestamp / SECOND });
                emit("of the timer");
              },
            },
          }),
        )
        .apply(probe(sdk, "behind", 139, (s) => behind.push([time.now(), s]))),
    VIRTUAL,
  );

  const end = 140;
  const x = scale(0, end, 70, 650);
  const y = scale(0, end, 360, 50);
  const picture = new Drawing(680, 420, "A timer that holds the watermark");
  for (let s = 0; s <= end; s += 20) {
    picture.line(x(s), y(0), x(s), y(end)).text(x(s), y(0) + 18, clock(s), "soft small", "middle");
    picture.line(x(0), y(s), x(end), y(s)).text(x(0) - 8, y(s) + 4, clock(s), "soft small", "end");
  }
  picture.text(x(end / 2), 405, "processing time", "", "middle").text(20, 28, "event time");
  // A watermark goes on at once, and stays until the next time: steps to the right, then up.
  const steps = (points) => {
    const corners = [];
    for (const [at, s] of points.filter(([at]) => at <= end)) {
      if (corners.length > 0 && corners.at(-1)[0] !== at) corners.push([at, corners.at(-1)[1]]);
      corners.push([at, s]);
    }
    corners.push([end, corners.at(-1)[1]]);
    return corners.map(([at, s]) => [x(at), y(s)]);
  };
  picture.path(steps(before), "orange stroke").path(steps(behind), "green stroke");
  picture.text(x(62), y(84), "watermark before the ParDo", "orange bold", "end");
  picture.text(x(62), y(40) - 8, "behind the ParDo", "green bold");
  const [{ at, timestamp }] = fired;
  picture.dot(x(40), y(40), "blue fill").text(x(40) + 6, y(40) + 20, "set for 12:01:40, to put out at 12:00:40", "blue small bold");
  picture.line(x(at), y(100), x(at), y(timestamp), "blue stroke dashed");
  picture.dot(x(at), y(100), "blue fill").dot(x(at), y(timestamp), "blue fill");
  picture.text(x(at) + 9, y(100) - 8, "fires", "blue small bold");
  picture.text(x(at) + 9, y(timestamp) + 16, "its output: not late", "blue small bold");
  return picture.toString();
}
