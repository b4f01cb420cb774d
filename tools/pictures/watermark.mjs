import { Drawing, scale } from "./svg.mjs";
import { clock, MINUTE, probe, scripted, SECOND, VIRTUAL } from "./runs.mjs";

/** Elements by event time and processing time, the watermark between them, and when windows are complete. */
export async function watermarkPicture(sdk) {
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
