// The pages that are read most, by sliding windows. Lines come from logs that are followed: splittable work, that rests when it has caught up.
import {
  countPerElement,
  create,
  manualWatermark,
  map,
  offsetRange,
  output as outputOf,
  pipeline,
  sliding,
  splittableParDo,
  topGlobally,
  windowInto,
  type KV,
} from "beamstorm";
import { options, STEP, upTo, writeResults } from "./parts.js";

const SIZE = 4000;
const PERIOD = 2000;
const LOGS = 4;
const REST_MS = 20;
const pageOf = (n: number): string => `page ${(((n * n) % 101) * n) % 13}`;

/** Log `log` has every fourth number. */
const follow = (perRest: number) =>
  splittableParDo("follow", {
    outputs: outputOf<string>(),
    restriction: ({ count }: { log: number; count: number }) => offsetRange(0, count),
    watermark: manualWatermark(),
    process({ log }, { range, emit, watermark, resume }) {
      for (let line = range.start; line < range.start + perRest; line++) {
        if (!range.tryClaim(line)) return;
        const n = line * LOGS + log;
        emit(pageOf(n), n * STEP);
        watermark.set((n + LOGS) * STEP);
      }
      return resume(REST_MS);
    },
  });

const byCount = (a: { key: string; value: number }, b: { key: string; value: number }): number =>
  a.value - b.value || (a.key < b.key ? 1 : a.key > b.key ? -1 : 0);

export default pipeline({
  options,
  build: (p, { output, count, rate }) =>
    p
      .apply(
        create(
          "logs",
          upTo(LOGS).map((log) => ({ log, count: Math.ceil((count - log) / LOGS) })),
        ),
      )
      .apply(follow(Math.ceil((rate * REST_MS) / 1000 / LOGS)))
      .apply(windowInto(sliding({ size: SIZE, every: PERIOD })))
      .apply(countPerElement())
      .apply(topGlobally<KV<string, number>>(3, byCount))
      .apply(
        map("say", (top, { window }) => `until ${window.maxTimestamp + 1}: ${top.map(({ key, value }) => `${key} ${value}`).join(", ")}`),
      )
      .apply(writeResults(output)),
});

export function expected(count: number): string[] {
  const found: string[] = [];
  for (let start = PERIOD - SIZE; start < count * STEP; start += PERIOD) {
    const counts = new Map<string, number>();
    for (const n of upTo(count)) if (n * STEP >= start && n * STEP < start + SIZE) counts.set(pageOf(n), (counts.get(pageOf(n)) ?? 0) + 1);
    const top = [...counts].map(([key, value]) => ({ key, value })).sort((a, b) => byCount(b, a));
    const text = top.slice(0, 3).map(({ key, value }) => `${key} ${value}`);
    if (top.length > 0) found.push(`until ${start + SIZE}: ${text.join(", ")}`);
  }
  return found;
}
