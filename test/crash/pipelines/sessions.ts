// Sessions of users who come and go: windows that merge, with all of a session in its last pane, and a count of sessions by state.
import {
  afterCount,
  afterWatermark,
  filter,
  global,
  groupByKey,
  map,
  pipeline,
  sessions,
  windowInto,
  withKeys,
  withTimestamps,
  sequence,
} from "beamstorm";
import { grouped, options, upTo, writeResults, sum } from "./parts.js";

const USERS = 23;
const GAP = 1500;
/** A burst of numbers, then nothing for a while. */
const at = (n: number): number => n * 10 + Math.floor(n / 350) * 4000;
const userOf = (n: number): number => (n * 31) % USERS;

export default pipeline({
  options,
  build: (p, { output, count, rate }) =>
    p
      .apply(sequence({ to: count, perSecond: rate, timestampOf: at, catchUpMs: 50 }))
      .apply(withTimestamps(at))
      .apply(windowInto(sessions(GAP), { trigger: afterWatermark({ early: afterCount(4) }), panes: "accumulating" }))
      .apply(withKeys(userOf))
      .apply(groupByKey())
      .apply(
        map("sessions", ({ key, value }, { window, pane }) => ({
          isLast: pane.isLast,
          text: `user ${key} until ${window.maxTimestamp + 1}: ${sum([...value])} in ${[...value].length}`,
        })),
      )
      .apply(filter("last panes", ({ isLast }) => isLast))
      .apply(windowInto("as one", global()))
      .apply(map("text", ({ text }) => text))
      .apply(writeResults(output)),
});

export function expected(count: number): string[] {
  const found: string[] = [];
  for (const [user, all] of grouped(upTo(count), userOf)) {
    let session: number[] = [];
    for (const [i, n] of all.entries()) {
      session.push(n);
      if (i + 1 < all.length && at(all[i + 1]) < at(n) + GAP) continue;
      found.push(`user ${user} until ${at(n) + GAP}: ${sum(session)} in ${session.length}`);
      session = [];
    }
  }
  return found;
}
