// Work that goes on in another run, from a checkpoint in the midst of it: none of it is lost, and none of it shows twice.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inProcessLauncher, planPipeline, runJob, type Job } from "../../runner/index.js";
import { EmbeddedHost } from "../../sdk/harness/embedded-host.js";
import { Program } from "../../sdk/harness/program.js";
import { translatePipeline } from "../../sdk/translate/translate-pipeline.js";
import {
  bag,
  create,
  kv,
  map,
  offsetRange,
  output,
  pipeline,
  splittableParDo,
  statefulParDo,
  fixed,
  manualWatermark,
  windowInto,
  type KV,
} from "../../sdk/index.js";

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

interface Seen {
  readonly isFirst: boolean;
  /** Positions as they were worked on. */
  readonly worked: string[];
  readonly acknowledged: string[];
  readonly groups: string[];
  /** One has been published, and work has gone on behind it. */
  onCheckpoint: () => void;
}

/** Work on several elements, a bit at a time, and groups of it by windows of its own time. */
function start(folder: string, workers: number, seen: Seen): Job {
  const graph = pipeline((p) => {
    p.apply(create("elements", [12, 25, 18]))
      .apply(
        splittableParDo("work", {
          outputs: output<KV<number, number>>(),
          finalizes: true,
          restriction: (n: number) => offsetRange(0, n),
          watermark: manualWatermark(),
          process(n, { range, emit, watermark, resume, onCommitted }) {
            const { start: i } = range;
            if (i === 8 && seen.isFirst && seen.acknowledged.length === 0) return resume(5); // no checkpoint is published yet
            if (!range.tryClaim(i)) return;
            seen.worked.push(`${n}: ${i}`);
            if (i === 10) seen.onCheckpoint();
            emit(kv(n, i), i);
            watermark.set(i + 1);
            onCommitted(() => void seen.acknowledged.push(`${n}: ${i}`), { expireAfterMs: 60_000 });
            return resume(5);
          },
        }),
      )
      .apply(windowInto(fixed(10)))
      .apply(
        statefulParDo("gather", {
          state: { numbers: bag<number>() },
          outputs: output<string>(),
          process: ({ value }, { state }) => state.numbers.add(value),
          onWindowExpiration({ key }, { state, emit }) {
            emit(`${key}: ${[...state.numbers.read()].sort((x, y) => x - y).join()}`);
          },
        }),
      )
      .apply(map("groups", (group) => void seen.groups.push(group)));
  }).build({});
  const program = new Program(graph);
  const topology = planPipeline(translatePipeline(graph), { parallelism: workers });
  const launcher = inProcessLauncher(() => new EmbeddedHost(program));
  return runJob(topology, { launcher, workers, checkpoints: { folder, intervalMs: 25, fingerprint: program.fingerprint() } });
}

const newSeen = (isFirst: boolean): Seen => ({ isFirst, worked: [], acknowledged: [], groups: [], onCheckpoint: () => {} });

describe("work that goes on in another run", () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "beamstorm-restored-"))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const expected = [12, 25, 18]
    .flatMap((n) =>
      upTo(Math.ceil(n / 10)).map(
        (window) =>
          `${n}: ${upTo(n)
            .filter((i) => Math.floor(i / 10) === window)
            .join()}`,
      ),
    )
    .sort();

  for (const [before, after] of [
    [1, 1],
    [1, 2],
    [2, 1],
  ])
    it(`is done once, by ${before} tasks before and ${after} behind`, async () => {
      const first = newSeen(true);
      const job = start(folder, before, first);
      const isUnderWay = new Promise<void>((resolve) => (first.onCheckpoint = resolve));
      await Promise.race([isUnderWay, job.result]);
      await job.cancel();
      const atCancel = first.worked.length;
      const second = newSeen(false);
      await start(folder, after, second).result;
      assert.ok(second.worked.length < 55, "it goes on from where a checkpoint was");
      assert.ok(atCancel + second.worked.length >= 55);
      // A group that was put out before the checkpoint is not put out again.
      assert.deepEqual([...new Set([...first.groups, ...second.groups])].sort(), expected);
      for (const group of second.groups) assert.equal(second.groups.filter((each) => each === group).length, 1);
      // What is acknowledged is in a checkpoint: it is not worked on again.
      for (const each of first.acknowledged) assert.ok(!second.worked.includes(each), each);
      assert.deepEqual(second.acknowledged.sort(), second.worked.sort());
    });
});
