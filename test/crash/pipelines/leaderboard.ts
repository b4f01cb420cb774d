// Scores by team and second, in panes: early ones, of which there are as many as there are, and the one on time. Of each window the panes have
// to come to its sum, and their indexes have to be those from 0 on, the last of them that of the last pane.
import {
  afterCount,
  afterEachElement,
  afterWatermark,
  fixed,
  global,
  groupByKey,
  kv,
  map,
  pipeline,
  seconds,
  sumPerKey,
  windowInto,
} from "beamstorm";
import { grouped, numbers, options, STEP, sum, upTo, writeResults } from "./parts.js";

const WINDOW = seconds(2);
const TEAMS = 7;

export default pipeline({
  options,
  build: (p, { output, ...given }) =>
    p
      .apply(numbers(given))
      .apply(
        windowInto(fixed(WINDOW), { trigger: afterWatermark({ early: afterCount(5), late: afterEachElement() }), panes: "discarding" }),
      )
      .apply(map("by team", (n) => kv(n % TEAMS, n)))
      .apply(sumPerKey())
      .apply(
        map("panes", ({ key, value }, { window, pane: { index, isFirst, isLast } }) =>
          kv(`${key} ${window.maxTimestamp + 1}`, { value, index, isFirst, isLast }),
        ),
      )
      .apply(windowInto(global()))
      .apply(groupByKey())
      .apply(
        map("check panes", ({ key, value }) => {
          const panes = [...value].sort((a, b) => a.index - b.index);
          const isWhole = panes.every(
            ({ index, isFirst, isLast }, i) => index === i && isFirst === (i === 0) && isLast === (i === panes.length - 1),
          );
          return `${key} ${sum(panes.map((pane) => pane.value))}${isWhole ? "" : `, of panes ${JSON.stringify(panes)}`}`;
        }),
      )
      .apply(writeResults(output)),
});

export const expected = (count: number): string[] =>
  [...grouped(upTo(count), (n) => `${n % TEAMS} ${(Math.floor((n * STEP) / WINDOW) + 1) * WINDOW}`)].map(
    ([key, group]) => `${key} ${sum(group)}`,
  );
