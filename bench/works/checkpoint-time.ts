import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { option, pipeline, sequence, statefulParDo, value, withKeys } from "beamstorm";
import { local } from "beamstorm/local";
import { Latencies } from "../latencies.js";
import type { Work } from "../work.js";

const KEYS = 91_000;
const VALUE_BYTES = 1000;
const bytes = Buffer.alloc(VALUE_BYTES);
const latencies = new Latencies();

/** One piece of memory, as texts are that were read: what `padStart` returns is put together by whoever reads it first. */
function textOf(n: number): string {
  bytes.fill(".");
  bytes.write(String(n), 0, "latin1");
  return bytes.latin1Slice();
}

/** Each second as many keys have another value as there are. */
const changing = pipeline({
  options: { size: option.number({ default: 1, help: "elements" }) },
  build: (p, options) =>
    p
      .apply(sequence({ to: options.size, perSecond: KEYS, parallelism: 1, timestampOf: () => 0 }))
      .apply(withKeys((n: number) => n % KEYS))
      .apply(
        statefulParDo("keep", {
          state: { text: value<string>() },
          process({ value: n }: { key: number; value: number }, { state }) {
            state.text.write(textOf(n));
          },
        }),
      ),
});

async function run(elements: number): Promise<void> {
  latencies.clear();
  const checkpointDir = mkdtempSync(join(tmpdir(), "beamstorm-bench-"));
  try {
    const running = await local({ checkpointDir, checkpointIntervalMs: 1000 }).start(changing, { size: elements });
    running.messages$.subscribe({
      next({ text }) {
        const [, bytes, ms] = /^checkpoint of epoch \d+: (\d+) bytes in (\d+) ms/.exec(text) ?? [];
        if (Number(bytes) > 0.8 * KEYS * VALUE_BYTES) latencies.record(Number(ms));
      },
      error() {},
    });
    await running.result();
  } finally {
    rmSync(checkpointDir, { recursive: true });
  }
}

export const work: Work = {
  title: "from a checkpoint's barrier to its manifest, with 100 MB of state changed each second",
  unit: "latency",
  target: "median below 200 ms",
  size: 20 * KEYS,
  quickSize: 8 * KEYS,
  warmUpSize: 2 * KEYS,
  sides: [{ name: "100 MB changed", share: 1, run, latency: () => latencies.percentiles() }],
};
