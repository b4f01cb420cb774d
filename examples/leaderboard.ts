// The score of each team in each minute of a game, said three times over: early, while the minute is going on; on time, when it should be
// complete; late, when a score comes in behind that. Scores are late where a player's phone was offline.
//
//   npx beamstorm run examples/leaderboard.ts
import {
  afterCount,
  afterEachElement,
  afterWatermark,
  fixed,
  kv,
  map,
  minutes,
  option,
  PaneTiming,
  pipeline,
  sumPerKey,
  windowInto,
} from "beamstorm";
import { replay } from "./replay.js";

interface Score {
  readonly at: string;
  readonly team: string;
  readonly points: number;
}

const KINDS = {
  [PaneTiming.EARLY]: "early",
  [PaneTiming.ON_TIME]: "on time",
  [PaneTiming.LATE]: "late",
  [PaneTiming.UNKNOWN]: "not grouped",
};

export default pipeline({
  options: {
    input: option.string({ default: "examples/data/game.jsonl", help: "scores, as JSON lines in the order in which they come in" }),
    early: option.int({ default: 2, min: 1, help: "after how many scores of a team it is time for an early result" }),
    lateness: option.int({ default: 2, min: 0, help: "minutes for which a result is corrected after its end" }),
  },
  build: (p, { input, early, lateness }) =>
    p
      .apply(replay<Score>(input, { timestampOf: ({ at }) => Date.parse(at) }))
      .apply(
        windowInto(fixed(minutes(1)), {
          trigger: afterWatermark({ early: afterCount(early), late: afterEachElement() }),
          allowedLatenessMs: minutes(lateness),
          panes: "accumulating", // each pane is the whole score so far, not what has been added since the last
        }),
      )
      .apply(map("by team", ({ team, points }) => kv(team, points)))
      .apply(sumPerKey())
      .apply(
        map("print", ({ key: team, value: score }, { window, pane }) => {
          const minute = new Date(window.maxTimestamp).toISOString().slice(11, 16);
          console.log(`${minute} ${team} ${score} (${KINDS[pane.timing]})`);
        }),
      ),
});
