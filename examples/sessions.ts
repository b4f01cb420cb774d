// Sessions of user activity: a session ends when its user has done nothing for a while. Each line of the log is
// `2026-01-01T09:00:00Z user /page`, in any order.
//
//   npx beamstorm run examples/sessions.ts --gap 15
import {
  groupByKey,
  jsonLines,
  map,
  minutes,
  option,
  pipeline,
  regex,
  sessions,
  textIO,
  windowInto,
  withKeys,
  withTimestamps,
} from "beamstorm";

interface Visit {
  readonly at: number;
  readonly user: string;
  readonly page: string;
}

const parse = (line: string): Visit => {
  const [time, user, page] = line.split(" ");
  return { at: Date.parse(time), user, page };
};

export default pipeline({
  options: {
    input: option.string({ default: "examples/data/activity.log", help: "log files to read" }),
    gap: option.int({ default: 15, min: 1, help: "minutes without a visit after which a session is over" }),
    output: option.string({ default: "out/sessions/sessions.jsonl", help: "file to write" }),
  },
  build: (p, { input, gap, output }) =>
    p
      .apply(textIO.read(input))
      .apply(regex.matches(/\d{4}-\S+Z \S+ \S+/))
      .apply(map("parse", parse))
      .apply(withTimestamps(({ at }) => at))
      .apply(windowInto(sessions(minutes(gap))))
      .apply(withKeys(({ user }) => user))
      .apply(groupByKey())
      .apply(
        map("session", ({ key, value }) => {
          const visits = [...value].sort((a, b) => a.at - b.at);
          return { user: key, from: new Date(visits[0].at).toISOString(), pages: visits.map(({ page }) => page) };
        }),
      )
      .apply(jsonLines.write(output)),
});
