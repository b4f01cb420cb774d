// `npm run pictures`: docs/pictures/ from runs of real pipelines; `--check` compares instead of writing.
//
// P1. Whatever a picture shows of a run was seen in that run: windows, panes, lateness, and watermarks, which a probe sees (see `probe`).
// P2. Runs have a virtual clock, so pictures are the same each time.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "./build.mjs";
import { CommandFailure, isMain, main, progress, readIfThere, root } from "./lib.mjs";
import { Drawing, scale } from "./svg.mjs";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const VIRTUAL = { virtualTime: true };
/** Seconds behind twelve o'clock, as people write it. */
const clock = (s) => new Date(Date.UTC(2026, 0, 1, 12) + s * SECOND).toISOString().slice(11, s % 60 === 0 ? 16 : 19);

export async function pictures(args = process.argv.slice(2)) {
  await build();
  const sdk = { ...(await import("beamstorm")), ...(await import("beamstorm/testing")) };
  const drawn = {
    "docs/pictures/watermark.svg": await watermarkPicture(sdk),
    "docs/pictures/windows.svg": await windowsPicture(sdk),
    "docs/pictures/panes.svg": await panesPicture(sdk),
    "docs/pictures/timer-hold.svg": await timerPicture(sdk),
  };
  const changed = Object.entries(drawn).filter(([file, text]) => readIfThere(file) !== text);
  if (args.includes("--check")) {
    if (changed.length === 0) return 0;
    const files = changed.map(([file]) => file).join(", ");
    throw new CommandFailure(`${files}: not what tools/pictures.mjs gives; run \`npm run pictures\`, look at them, and commit the result`);
  }
  for (const [file, text] of changed) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
    progress(`wrote ${file}`);
  }
  if (changed.length === 0) progress("nothing to draw: all pictures are up to date");
  return 0;
}

/** A source by a script of `[seconds of processing time, element]`, under a watermark policy; and the clock of its run, in seconds. */
function scripted({ unboundedSource }, events, watermark) {
  const time = { now: () => 0 };
  const end = (events.at(-1)[0] + 5) * SECOND;
  const source = unboundedSource({
    watermark,
    open({ now }) {
      time.now = () => now() / SECOND;
      let next = 0;
      return {
        read(emit) {
          if (next < events.length && events[next][0] * SECOND <= now()) emit(events[next++][1]);
          if (next < events.length) return events[next][0] * SECOND;
          return now() < end ? end : "end"; // a source that has ended says that nothing more comes
        },
      };
    },
  });
  return { time, source };
}

/** Passes elements on, and calls back with each second of event time, up to `to`, that the watermark passes: by timers. */
function probe({ composite, withKeys, statefulParDo, eventTimers }, name, to, passed) {
  return composite(name, (input) =>
    input.apply(withKeys(() => "all")).apply(
      statefulParDo({
        timers: { at: eventTimers() },
        setup: () => ({ isSet: false }),
        process({ value }, { timers, local, emit }) {
          if (!local.isSet) for (let s = 0; s <= to; s++) timers.at.set(String(s), s * SECOND, { outputTimestamp: "none" });
          local.isSet = true;
          emit(value);
        },
        onTimer: { at: ({ fireAt }) => void passed(fireAt / SECOND) },
      }),
    ),
  );
}

/** The corners of a line that goes up by steps, from `[x, y]` points of which those with one y are one step. */
function staircase(points) {
  const corners = [];
  for (const [x, y] of points) {
    const last = corners.at(-1);
    if (last !== undefined && last[1] !== y) corners.push([last[0], y]);
    corners.push([x, y]);
  }
  return corners;
}

/** Elements by event time and processing time, the watermark between them, and when windows are complete. */
async function watermarkPicture(sdk) {
  const { runPipeline, eventTime, windowInto, fixed, groupByKey, withKeys, map } = sdk;
  const arrivals = [
    [10, 15],
    [25, 35],
    [40, 50],
    [65, 80],
    [30, 95],
    [95, 110],
    [50, 125],
    [120, 140],
    [110, 150],
    [155, 170],
  ].map(([at, seen]) => [seen, { at, seen }]);
  const { time, source } = scripted(
    sdk,
    arrivals,
    eventTime(({ at }) => at * SECOND, { maxDelayMs: 30 * SECOND }),
  );
  const watermark = [];
  const panes = [];
  const late = [];
  await runPipeline((p) => {
    const seen = p.apply(source).apply(probe(sdk, "probe", 179, (s) => watermark.push([s, time.now()])));
    const grouped = seen
      .apply(windowInto(fixed(MINUTE)))
      .apply(withKeys("key", () => "all"))
      .apply(groupByKey({ late: true }));
    grouped.late.apply(map("late", ({ value }) => void late.push(value)));
    return grouped.groups.apply(
      map("pane", ({ value }, { window }) => void panes.push({ start: window.start / SECOND, at: time.now(), count: [...value].length })),
    );
  }, VIRTUAL);
  const isLate = ({ at, seen }) => late.some((each) => each.at === at && each.seen === seen);
  const end = arrivals.at(-1)[0];

  const picture = new Drawing(680, 470, "Elements by event time and processing time, with the watermark");
  const x = scale(0, 180, 70, 650);
  const y = scale(0, 180, 410, 40);
  for (let s = 0; s <= 180; s += 30) {
    picture.line(x(s), y(0), x(s), y(180)).text(x(s), y(0) + 18, clock(s), "soft small", "middle");
    picture.line(x(0), y(s), x(180), y(s)).text(x(0) - 8, y(s) + 4, clock(s), "soft small", "end");
  }
  picture.text(x(90), 455, "event time: when it happened", "", "middle").text(20, 24, "processing time: when it was seen");
  picture.line(x(0), y(0), x(180), y(180), "stroke dashed").text(x(121), y(119) + 22, "if nothing took time", "soft small");
  for (const { start, at, count } of panes.filter(({ at }) => at <= end)) {
    picture.rect(x(start), y(at), x(60) - x(0), y(0) - y(at), "green tint");
    picture.text(x(start) + 2, y(at) - 6, `complete at ${clock(at)}: ${count} elements`, "green small bold");
  }
  picture.path(
    staircase([[0, 0], ...watermark.filter(([, at]) => at <= end)]).map(([s, at]) => [x(s), y(at)]),
    "orange stroke",
  );
  picture.text(x(12), y(80) - 8, "watermark", "orange bold");
  for (const [, element] of arrivals) {
    const { at, seen } = element;
    picture.dot(x(at), y(seen), isLate(element) ? "red fill" : "blue fill");
    if (isLate(element)) picture.text(x(at) + 9, y(seen) + 4, "late", "red small bold");
  }
  return picture.toString();
}

/** The same elements in fixed, sliding and session windows. */
async function windowsPicture(sdk) {
  const { runPipeline, create, kv, withTimestamps, windowInto, fixed, sliding, sessions, groupByKey, reifyWindows } = sdk;
  const instants = [20, 35, 80, 95, 110, 125, 215, 250, 265];
  const elements = instants.map((at) => kv("all", at));
  const kinds = [
    ["fixed(minutes(1))", fixed(MINUTE), "blue"],
    ["sliding({ size: minutes(2), every: minutes(1) })", sliding({ size: 2 * MINUTE, every: MINUTE }), "green"],
    ["sessions(minutes(1))", sessions(MINUTE), "orange"],
  ];
  const rows = [];
  for (const [name, windowFn, color] of kinds) {
    const groups = await runPipeline((p) =>
      p
        .apply(create(elements))
        .apply(withTimestamps(({ value }) => value * SECOND))
        .apply(windowInto(windowFn))
        .apply(groupByKey())
        .apply(reifyWindows()),
    );
    const windows = groups.map(({ value: { value }, window: { start, end } }) => ({
      start: start / SECOND,
      end: end / SECOND,
      count: [...value].length,
    }));
    rows.push({ name, color, windows: windows.sort((a, b) => a.start - b.start) });
  }

  const x = scale(-60, 360, 20, 690);
  const picture = new Drawing(710, 336, "The same elements in fixed, sliding and session windows");
  for (let s = -60; s <= 360; s += 60) picture.line(x(s), 66, x(s), 310).text(x(s), 328, clock(s), "soft small", "middle");
  picture.text(20, 24, "elements of one key, by their event time");
  for (const at of instants) picture.dot(x(at), 48, "blue fill");
  let top = 82;
  for (const { name, color, windows } of rows) {
    picture.text(20, top + 4, name, `${color} bold`);
    const lanes = []; // where the windows of a lane end: those that overlap lie below each other
    for (const { start, end, count } of windows) {
      let lane = lanes.findIndex((until) => until <= start);
      if (lane === -1) lane = lanes.push(end) - 1;
      else lanes[lane] = end;
      const y = top + 14 + lane * 32;
      picture.rect(x(start) + 1, y, x(end) - x(start) - 2, 26, `${color} tint`);
      picture.text((x(start) + x(end)) / 2, y + 17, count, "small bold", "middle");
    }
    top += 14 + lanes.length * 32 + 26;
  }
  return picture.toString();
}

/** What is emitted of one window, and when. */
async function panesPicture(sdk) {
  const { runPipeline, testStream, kv, map, windowInto, fixed, sumPerKey, afterWatermark, afterCount, afterEachElement, PaneTiming } = sdk;
  const script = [
    { at: 10, value: 3 },
    { at: 25, value: 4 },
    { at: 40, value: 1 },
    { watermark: 60, note: "12:01" },
    { at: 30, value: 5 },
    { at: 55, value: 2 },
    { watermark: 180, note: "12:03" },
    { at: 50, value: 9 },
  ];
  const names = { [PaneTiming.EARLY]: "early", [PaneTiming.ON_TIME]: "on time", [PaneTiming.LATE]: "late" };
  const rowOf = async (panes) => {
    const seen = [];
    let step = -1;
    // A mark in another window before each event, by which the panes behind it know their step.
    let stream = testStream();
    for (const [i, { at, value, watermark }] of script.entries()) {
      stream = stream.at(10 * MINUTE, kv("step", i));
      stream = watermark === undefined ? stream.at(at * SECOND, kv("score", value)) : stream.watermark(watermark * SECOND);
    }
    await runPipeline((p) =>
      p
        .apply(stream)
        .apply(map("steps", (element) => (element.key === "step" && (step = element.value), element)))
        .apply(
          windowInto(fixed(MINUTE), {
            trigger: afterWatermark({ early: afterCount(2), late: afterEachElement() }),
            allowedLatenessMs: 2 * MINUTE,
            panes,
          }),
        )
        .apply(sumPerKey())
        .apply(map("panes", ({ key, value }, { pane }) => void (key === "score" && seen.push({ step, value, kind: names[pane.timing] })))),
    );
    return { panes, seen };
  };
  const rows = [await rowOf("discarding"), await rowOf("accumulating")];

  const width = 720;
  const x = (step) => 160 + step * 72;
  const picture = new Drawing(width, 250, "Panes of one window: early, on time and late; discarding and accumulating");
  picture.text(20, 24, `the window ${clock(0)} to ${clock(1 * 60)}, from left to right as things happen`);
  picture.text(20, 72, "elements");
  for (const [i, { at, value, watermark }] of script.entries()) {
    picture.line(x(i), 92, x(i), 215);
    if (watermark === undefined) {
      const isDropped = i === script.length - 1;
      picture.dot(x(i), 67, isDropped ? "red stroke" : "blue stroke", 13).text(x(i), 72, value, "bold", "middle");
      picture.text(x(i), 48, clock(at), "soft small", "middle");
      if (isDropped) picture.text(x(i), 108, "dropped", "red small bold", "middle");
    } else {
      picture.text(x(i), 66, "watermark", "orange small bold", "middle").text(x(i), 80, clock(watermark), "orange small bold", "middle");
      picture.line(x(i), 92, x(i), 215, "orange stroke");
    }
  }
  for (const [r, { panes, seen }] of rows.entries()) {
    const y = 140 + r * 52;
    picture.text(20, y + 4, panes);
    for (const { step, value, kind } of seen) {
      const color = kind === "early" ? "blue" : kind === "on time" ? "green" : "orange";
      picture.rect(x(step) - 28, y - 19, 56, 38, "ground").rect(x(step) - 28, y - 19, 56, 38, `${color} tint`);
      picture.text(x(step), y - 1, value, "bold", "middle").text(x(step), y + 13, kind, `${color} small`, "middle");
    }
  }
  picture.text(20, 240, "afterWatermark({ early: afterCount(2), late: afterEachElement() }), allowedLatenessMs: minutes(2)", "soft small");
  return picture.toString();
}

/** A timer whose output is at an earlier instant than it fires at: the watermark behind it waits there. */
async function timerPicture(sdk) {
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

if (isMain(import.meta)) await main(pictures);
