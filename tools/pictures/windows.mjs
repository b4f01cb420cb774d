import { Drawing, scale } from "./svg.mjs";
import { clock, MINUTE, SECOND } from "./runs.mjs";

/** The same elements in fixed, sliding and session windows. */
export async function windowsPicture(sdk) {
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
