// Sessions from a stream of clicks, some of which come late: a late click may lengthen a session that has been told already, or make one
// of two. Each line is a session as it is known by then. Clicks that are too late for that are in a file of their own.
//
//   npx beamstorm run examples/click-sessions.ts
import {
  afterEachElement,
  afterWatermark,
  groupByKey,
  jsonLines,
  map,
  minutes,
  option,
  PaneTiming,
  pipeline,
  sessions,
  windowInto,
  withKeys,
} from "beamstorm";
import { replay } from "./replay.js";

interface Click {
  readonly at: string;
  readonly user: string;
  readonly page: string;
}

export default pipeline({
  options: {
    input: option.string({ default: "examples/data/clicks.jsonl", help: "clicks, as JSON lines in the order in which they come in" }),
    gap: option.int({ default: 10, min: 1, help: "minutes without a click after which a session is over" }),
    lateness: option.int({ default: 30, min: 0, help: "minutes for which a session is corrected after its end" }),
    output: option.string({ default: "out/click-sessions/sessions.jsonl", help: "file to write sessions to" }),
    late: option.string({ default: "out/click-sessions/late.jsonl", help: "file to write clicks to that came too late" }),
  },
  build(p, { input, gap, lateness, output, late: lateFile }) {
    const { groups, late } = p
      .apply(replay<Click>(input, { timestampOf: ({ at }) => Date.parse(at) }))
      .apply(
        windowInto(sessions(minutes(gap)), {
          trigger: afterWatermark({ late: afterEachElement() }),
          allowedLatenessMs: minutes(lateness),
          panes: "accumulating", // a corrected session has all of its clicks
        }),
      )
      .apply(withKeys(({ user }) => user))
      .apply(groupByKey({ late: true }));

    groups
      .apply(
        map("session", ({ key: user, value: clicks }, { pane }) => {
          const inOrder = [...clicks].sort((a, b) => a.at.localeCompare(b.at));
          return { user, from: inOrder[0].at, pages: inOrder.map(({ page }) => page), corrected: pane.timing === PaneTiming.LATE };
        }),
      )
      .apply(jsonLines.write(output));
    late.apply(map("click", ({ value }) => value)).apply(jsonLines.write(lateFile));
  },
});
