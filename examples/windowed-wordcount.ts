// Counts the words of log lines for each minute of event time: each line starts with its time, e.g. `2026-01-01T12:00:05Z started`.
//
//   npx beamstorm run examples/windowed-wordcount.ts --input 'logs/*.log' --output out/per-minute.txt
import { countPerElement, filter, fixed, flatMap, map, minutes, option, pipeline, textIO, windowInto, withTimestamps } from "beamstorm";

const timeOf = (line: string): number => Date.parse(line.slice(0, line.indexOf(" ")));

export default pipeline({
  options: {
    input: option.string({ help: "log files to read" }),
    output: option.string({ default: "out/windowed-wordcount/counts.txt", help: "file to write" }),
    minutes: option.int({ default: 1, min: 1, help: "length of a window" }),
  },
  build: (p, { input, output, minutes: length }) =>
    p
      .apply(textIO.read(input))
      .apply(filter("with a time", (line) => !Number.isNaN(timeOf(line))))
      .apply(withTimestamps(timeOf))
      .apply(windowInto(fixed(minutes(length))))
      .apply(
        flatMap(
          "split",
          (line) =>
            line
              .slice(line.indexOf(" "))
              .toLowerCase()
              .match(/\p{L}+/gu) ?? [],
        ),
      )
      .apply(countPerElement())
      .apply(map("format", ({ key, value }, { window }) => `${startOf(window.maxTimestamp + 1 - minutes(length))} ${key}: ${value}`))
      .apply(textIO.write(output)),
});

const startOf = (time: number): string => new Date(time).toISOString().slice(0, 16);
