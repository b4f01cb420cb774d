import { Drawing } from "./svg.mjs";
import { clock, MINUTE, SECOND } from "./runs.mjs";

/** What is emitted of one window, and when. */
export async function panesPicture(sdk) {
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
