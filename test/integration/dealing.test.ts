// One element that is all there is to do: the tasks that have nothing get parts of it, whatever workers, bundles and credits there are, and whenever it
// is interrupted. Catches work that stays with one task, is lost on its way to another, or is done twice.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inProcessLauncher, planPipeline, runJob, type Job } from "../../runner/index.js";
import type { GraphBuilder } from "../../sdk/model/graph-builder.js";
import { EmbeddedHost } from "../../sdk/harness/embedded-host.js";
import { Program } from "../../sdk/harness/program.js";
import { translatePipeline } from "../../sdk/translate/translate-pipeline.js";
import {
  create,
  fixed,
  groupByKey,
  kv,
  manualWatermark,
  map,
  offsetRange,
  output,
  pipeline,
  splittableParDo,
  windowInto,
} from "../../sdk/index.js";
import { DEFAULT_RUNTIME_OPTIONS, type RuntimeOptions } from "../../runner/runtime/index.js";

const TASKS = 4;
/** Positions of a restriction that ends when windows have closed. */
const MOST = 5000;

interface Seen {
  /** Positions, by the tasks that have worked on them. */
  readonly workedBy: Map<number, number[]>;
  readonly found: number[];
  /** All of it, as a grouping behind the work has it at the end. */
  readonly gathered: number[][];
  onWork: (total: number) => void;
}

const newSeen = (): Seen => ({ workedBy: new Map(), found: [], gathered: [], onWork: () => {} });
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const totalOf = ({ workedBy }: Seen): number => [...workedBy.values()].reduce((sum, { length }) => sum + length, 0);

interface Setting {
  readonly count: number;
  readonly workers: number;
  readonly tasks?: number;
  readonly runtime?: Partial<RuntimeOptions>;
  readonly folder?: string;
  /** Whether the function waits for something at each position; else it keeps its process busy. */
  readonly isAsync?: boolean;
  /** Whether some bundles fail, once each. */
  readonly fails?: boolean;
  /** Whether the function does one position a call, and asks for a delay. */
  readonly isPaced?: boolean;
}

function startWork({ count, workers, tasks = TASKS, runtime = {}, folder, isAsync = true, fails, isPaced }: Setting, seen: Seen): Job {
  const failed = new Set<number>();
  const work = (task: number, position: number): void => {
    const worked = seen.workedBy.get(task);
    if (worked === undefined) seen.workedBy.set(task, [position]);
    else worked.push(position);
    seen.onWork(totalOf(seen));
    if (fails !== true || position % 37 !== 5 || failed.has(position)) return;
    failed.add(position);
    throw new Error(`fails once at ${position}`);
  };
  let opened = 0;
  const common = { restriction: (n: number) => offsetRange(0, n), setup: () => ++opened };
  const graph = pipeline((p) => {
    p.apply(create("elements", [count]))
      .apply(
        isAsync
          ? splittableParDo("work", {
              ...common,
              async process(_, { range, local, resume }) {
                if (isPaced === true) {
                  if (!range.tryClaim(range.start)) return [];
                  work(local, range.start);
                  await new Promise((resolve) => setTimeout(resolve, 1));
                  resume(1);
                  return [range.start];
                }
                const found: number[] = [];
                for (let i = range.start; range.tryClaim(i); i++) {
                  work(local, i);
                  found.push(i);
                  await new Promise((resolve) => setTimeout(resolve, 1));
                }
                return found;
              },
            })
          : splittableParDo("work", {
              ...common,
              *process(_, { range, local }) {
                for (let i = range.start; range.tryClaim(i); i++) {
                  work(local, i);
                  const end = performance.now() + 0.3;
                  while (performance.now() < end);
                  yield i;
                }
              },
            }),
      )
      .apply(map("found", (i) => (seen.found.push(i), kv("all", i))))
      .apply(groupByKey())
      .apply(map("gathered", ({ value }) => void seen.gathered.push([...value])));
  }).build({});
  return start(graph, { workers, tasks, runtime, folder });
}

function start(graph: GraphBuilder, { workers, tasks = TASKS, runtime = {}, folder }: Omit<Setting, "count">): Job {
  const program = new Program(graph);
  const topology = planPipeline(translatePipeline(graph), { parallelism: tasks });
  const launcher = inProcessLauncher(() => new EmbeddedHost(program));
  return runJob(topology, {
    launcher,
    workers,
    runtime: { ...DEFAULT_RUNTIME_OPTIONS, ...runtime },
    ...(folder === undefined ? {} : { checkpoints: { folder, intervalMs: 10, fingerprint: program.fingerprint() } }),
  });
}

const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

describe("a restriction that is all there is to do", function () {
  this.timeout(20_000);
  for (const workers of [1, 2])
    for (const isAsync of [true, false])
      for (const [name, runtime] of Object.entries({
        "default bundles": {},
        "bundles of one element": { bundleElements: 1 },
        "tiny credits": { channelBytes: 64, batchBytes: 16 },
      }))
        it(`is shared by all tasks, in ${workers} workers, ${isAsync ? "waiting" : "computing"}, with ${name}`, async () => {
          const seen = newSeen();
          await startWork({ count: 400, workers, runtime, isAsync }, seen).result;
          assert.deepEqual(sorted(seen.found), upTo(400));
          assert.deepEqual(sorted([...seen.workedBy.keys()]), [1, 2, 3, 4], "a task has had nothing to do");
          assert.equal(totalOf(seen), 400);
          assert.deepEqual(seen.gathered.map(sorted), [upTo(400)]);
        });

  for (const workers of [1, 2])
    it(`comes to the same where bundles fail, in ${workers} workers`, async () => {
      const seen = newSeen();
      await startWork({ count: 300, workers, runtime: { bundleElements: 7, retryDelayMs: 0 }, fails: true }, seen).result;
      assert.deepEqual(seen.gathered.map(sorted), [upTo(300)]);
      assert.equal(seen.workedBy.size > 1, true);
    });

  it("stays whole where it asks for delays: it goes by the clock", async () => {
    const seen = newSeen();
    await startWork({ count: 20, workers: 2, isPaced: true }, seen).result;
    assert.deepEqual(seen.found, upTo(20), "in its order");
    assert.equal(seen.workedBy.size, 1);
  });

  for (const workers of [1, 2])
    it(`has windows close while it goes on, though the other tasks have nothing, in ${workers} workers`, async () => {
      let position = 0;
      const closedAt: number[] = [];
      const graph = pipeline((p) => {
        p.apply(create("elements", [MOST]))
          .apply(
            splittableParDo("follow", {
              outputs: output<number>(),
              restriction: (n) => offsetRange(0, n),
              watermark: manualWatermark(),
              process(_, { range, emit, watermark, resume }) {
                for (let i = range.start; closedAt.length >= 3 || i === range.start; i++) {
                  if (!range.tryClaim(i)) return;
                  emit(i, i * 1000);
                  watermark.set(i * 1000);
                  position = i;
                }
                return resume(1);
              },
            }),
          )
          .apply(windowInto(fixed(10_000)))
          .apply(map("by key", (i) => kv("all", i)))
          .apply(groupByKey())
          .apply(map("closed", () => void closedAt.push(position)));
      }).build({});
      await start(graph, { workers, tasks: TASKS }).result;
      assert.equal(closedAt.length, MOST / 10);
      assert.ok(closedAt[0] < MOST - 1, "no window has closed before the end");
    });

  context("when it is interrupted", () => {
    let folder: string;
    beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "beamstorm-dealing-"))));
    afterEach(() => rm(folder, { recursive: true, force: true }));

    for (const [before, after, workers, fails] of [
      [4, 4, 2, false],
      [4, 2, 2, false],
      [2, 5, 1, true],
      [3, 4, 2, true],
    ] as const)
      it(`is gone on with by ${after} tasks instead of ${before}, in ${workers} workers${fails ? ", and bundles fail" : ""}`, async () => {
        const count = 800;
        let total = 0;
        let runs = 0;
        for (const stopAt of [100, 150, 200, Infinity]) {
          const seen = newSeen();
          const tasks = runs++ % 2 === 0 ? before : after;
          const runtime = { bundleElements: 5, retryDelayMs: 0 };
          const job = startWork({ count, workers, tasks, folder, runtime, fails }, seen);
          const isThere = new Promise<void>((resolve) => (seen.onWork = (worked) => worked >= stopAt && resolve()));
          await Promise.race([isThere, job.result]);
          if (stopAt < Infinity) await job.cancel();
          else await job.result;
          total += totalOf(seen);
          if (stopAt === Infinity) assert.deepEqual(seen.gathered.map(sorted), [upTo(count)]);
          else assert.deepEqual(seen.gathered, []);
        }
        assert.ok(total < 2 * count, "it goes on from checkpoints");
      });
  });
});
