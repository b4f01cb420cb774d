// The most visited pages of each minute, from a log that is being written: lines such as `2026-01-01T12:00:05Z /home`. It runs until
// Ctrl-C, and waits for the log where it is not there yet.
//
//   npx beamstorm run examples/top-pages.ts
//
// and in another terminal, for something to count:
//
//   mkdir -p out; while sleep 1; do echo "$(date -u +%FT%TZ) /page-$((RANDOM % 5))" >> out/access.log; done
import {
  countPerElement,
  eventTime,
  filter,
  fixed,
  map,
  MIN_TIMESTAMP,
  minutes,
  option,
  pipeline,
  seconds,
  textIO,
  topGlobally,
  windowInto,
} from "beamstorm";

const LINE = /^(\S+Z) (\/\S*)$/;
/** A line without a time moves no watermark, and is filtered out behind. */
const timeOf = (line: string): number => Date.parse(LINE.exec(line)?.[1] ?? "") || MIN_TIMESTAMP;

export default pipeline({
  options: {
    input: option.string({ default: "out/access.log", help: "the log" }),
    top: option.int({ default: 3, min: 1, help: "how many pages of each minute" }),
    delay: option.int({ default: 5, min: 0, help: "seconds by which lines may be out of order" }),
    lines: option.int({ default: 0, min: 0, help: "how many lines to read; 0: go on until Ctrl-C" }),
  },
  build: (p, { input, top, delay, lines }) =>
    p
      .apply(
        textIO.tail(input, {
          fromStart: true,
          // A minute is over when a line says that it is that much later: where nothing is written, nothing is printed.
          watermark: eventTime(timeOf, { maxDelayMs: seconds(delay) }),
          ...(lines > 0 ? { maxElements: lines } : {}),
        }),
      )
      .apply(filter("visits", (line) => timeOf(line) !== MIN_TIMESTAMP))
      .apply(windowInto(fixed(minutes(1))))
      .apply(map("page", (line) => LINE.exec(line)![2]))
      .apply(countPerElement())
      .apply(topGlobally(top, (a, b) => a.value - b.value || (a.key < b.key ? 1 : -1)))
      .apply(
        map("print", (pages, { window }) => {
          const minute = new Date(window.maxTimestamp).toISOString().slice(11, 16);
          console.log(`${minute}  ${pages.map(({ key: page, value: visits }) => `${page} ${visits}`).join(", ")}`);
        }),
      ),
});
