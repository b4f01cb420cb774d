// Every transform of the SDK with checkpoints: many while it runs; stopped and gone on with from the last one; gone on with by another number of
// workers. Each row has its golden result, in an assertion that gathers all that has come. That it ran, and once, is among the metrics, which are
// part of checkpoints, too.
//
// There are many combinations: each run of the tests takes some, by a seed that is in the names of the tests. BEAMSTORM_MATRIX_SEED gives those of
// a run again, BEAMSTORM_MATRIX=all takes all of them.
//
// What takes no part: pipelines with a TestStream or with virtual time. They are one process and one run by nature; run-job.ts refuses checkpoints.
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Run, RunMetrics } from "beamstorm";
import { local } from "beamstorm/local";
import { CancelledError } from "beamstorm/portability";
import { inProcessLauncher, planPipeline, runJob } from "beamstorm/runner";
import type * as LocalRun from "../../local/local-run.js";
import { bundleProgram, type BundledProgram } from "../../local/bundle-program.js";
import { avroFormat } from "../../sdk/io/avro/write.js";
import { parquetFormat } from "../../sdk/io/parquet/write.js";
import type * as Host from "../../sdk/harness/embedded-host.js";
import type * as Programs from "../../sdk/harness/program.js";
import type * as Translation from "../../sdk/translate/translate-pipeline.js";
import { bytesOf } from "../support/memory-file.js";
import { Random } from "../support/random.js";
import type * as Fixture from "./fixtures/matrix.js";

/** Parts of the built package that it does not export: the fixture's graphs are its, not those of the sources. */
const built = <T>(path: string): Promise<T> => import(new URL(`../../dist/${path}`, import.meta.url).href) as Promise<T>;
const { EmbeddedHost } = await built<typeof Host>("sdk/harness/embedded-host.js");
const { Program } = await built<typeof Programs>("sdk/harness/program.js");
const { translatePipeline } = await built<typeof Translation>("sdk/translate/translate-pipeline.js");
const { localRun } = await built<typeof LocalRun>("local/local-run.js");

const program: BundledProgram = await bundleProgram(fileURLToPath(new URL("./fixtures/matrix.ts", import.meta.url)));
const { matrix, rows, Typed, typed } = (await import(program.module)) as typeof Fixture;

const isAll = process.env.BEAMSTORM_MATRIX === "all";
const seed = Number(process.env.BEAMSTORM_MATRIX_SEED ?? Date.now() % 1_000_000);

const runtimes = {
  "bundles of one element": { bundleElements: 1 },
  "bundles of one element, tiny credits": { bundleElements: 1, channelBytes: 64, batchBytes: 16 },
  "default bundles": {},
  "default bundles, tiny credits": { channelBytes: 64, batchBytes: 16 },
  "all state on disk": { bundleElements: 1, stateBytes: 1 },
  "barriers that overtake": { alignmentMs: 0, channelBytes: 64, batchBytes: 16 },
};
/** Workers of one run after the other. */
const crews = {
  checkpointed: [[1], [2], [4]],
  restored: [
    [1, 1, 1],
    [2, 2, 2],
    [4, 4],
  ],
  "restored at another parallelism": [
    [1, 2, 4],
    [4, 2, 1],
    [2, 1],
    [1, 4, 2],
    [4, 1],
  ],
};

interface Combination {
  readonly mode: string;
  readonly crew: readonly number[];
  readonly runtime: string;
}

const combinations: readonly Combination[] = Object.entries(crews).flatMap(([mode, some]) =>
  some.flatMap((crew) => Object.keys(runtimes).map((runtime) => ({ mode, crew, runtime }))),
);

const ofMode = (mode: string): readonly Combination[] => combinations.filter((each) => each.mode === mode);

/** For the whole graph, one of each mode. */
const chosenOfAll = (random: Random): readonly Combination[] => Object.keys(crews).map((mode) => random.pick(ofMode(mode)));

/** For a row: one in which state moves, and one in which it does not. */
function chosen(random: Random): readonly Combination[] {
  if (isAll) return combinations;
  const [checkpointed, restored, moved] = Object.keys(crews).map(ofMode);
  return [random.pick(random.below(3) === 0 ? checkpointed : restored), random.pick(moved)];
}

const titleOf = ({ mode, crew, runtime }: Combination): string => `${mode}, workers: ${crew.join(", then ")}, ${runtime}`;

describe(`every transform, with checkpoints (BEAMSTORM_MATRIX_SEED=${seed})`, () => {
  let folder: string;
  let input: string;
  let checkpoints: string;
  /** Runs that had a checkpoint to go on from. */
  let wentOn = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "beamstorm-matrix-"));
    input = join(folder, "lines.txt");
    await writeFile(input, Array.from({ length: 20 }, (_, i) => `line ${i + 1}\n`).join(""));
    await writeFile(`${input}.avro`, await bytesOf(avroFormat(Typed), typed));
    await writeFile(`${input}.parquet`, await bytesOf(parquetFormat(Typed, { rowGroupRows: 6 }), typed));
  });
  beforeEach(async () => void (checkpoints = await mkdtemp(join(folder, "checkpoints-"))));
  after(async () => {
    await rm(folder, { recursive: true, force: true });
    await program.dispose();
  });

  /** All workers in this process; they still talk over sockets, and take each other's state. */
  function startHere(only: string, workers: number, runtime: string): Run {
    const graph = matrix.build({ input, only });
    const started = new Program(graph);
    const topology = planPipeline(translatePipeline(graph), { parallelism: workers });
    const job = runJob(topology, {
      workers,
      launcher: inProcessLauncher(() => new EmbeddedHost(started)),
      runtime: runtimes[runtime as keyof typeof runtimes],
      checkpoints: { folder: checkpoints, intervalMs: 1, fingerprint: started.fingerprint() },
    });
    return localRun(job, topology, graph.assertions);
  }

  /** Workers as processes. */
  async function startProcesses(workers: number, runtime: string): Promise<Run> {
    const options = { checkpointDir: checkpoints, checkpointIntervalMs: 30, runtime: runtimes[runtime as keyof typeof runtimes] };
    return await local({ workers, module: program.module, exportName: "matrix", ...options }).start(matrix, { input, only: "" });
  }

  /** Runs it with one crew after the other, each but the last one stopped after some epochs if it has not come to the end by then. */
  async function goOn(crew: readonly number[], epochs: () => number, start: (workers: number) => Run | Promise<Run>): Promise<RunMetrics> {
    for (const [i, workers] of crew.entries()) {
      if ((await lastEpoch()) > 0) wentOn++;
      const run = await start(workers);
      let isOver = false;
      const ended = run
        .result()
        .catch((error: unknown) => {
          assert.ok(error instanceof CancelledError, error as Error);
        })
        .finally(() => (isOver = true));
      if (i < crew.length - 1) {
        const stopAt = (await lastEpoch()) + epochs();
        while (!isOver && (await lastEpoch()) < stopAt) await sleep(1);
        await run.cancel();
      }
      const metrics = await ended;
      if (metrics !== undefined) return metrics;
    }
    throw new Error("the last run was stopped, and nobody has done it");
  }

  async function lastEpoch(): Promise<number> {
    const names = await readdir(join(checkpoints, "epochs")).catch(() => []);
    return Math.max(0, ...names.map((name) => Number.parseInt(name, 10)));
  }

  function assertOnce(metrics: RunMetrics): number {
    const checks = [...metrics.elements].filter(([transform]) => transform.endsWith("/check"));
    for (const [transform, count] of checks) assert.equal(count, 1, `${transform} ran ${count} times`);
    return checks.length;
  }

  for (const [i, row] of Object.keys(rows).entries()) {
    const random = new Random(seed + i);
    for (const combination of chosen(random))
      it(`${row}: ${titleOf(combination)}`, async () => {
        const { crew, runtime } = combination;
        const metrics = await goOn(
          crew,
          () => random.below(5),
          (workers) => startHere(row, workers, runtime),
        );
        assertOnce(metrics);
        for (const kind of ["epochs", "pieces"])
          for (const name of await readdir(join(checkpoints, kind))) assert.ok(!name.endsWith(".part"), `${name} is left over`);
      });
  }

  const random = new Random(seed);
  for (const combination of isAll ? combinations : chosenOfAll(random))
    it(`in one graph, with processes: ${titleOf(combination)}`, async function () {
      this.timeout(240_000);
      const { crew, runtime } = combination;
      const metrics = await goOn(
        crew,
        () => random.below(20),
        (workers) => startProcesses(workers, runtime),
      );
      assert.ok(assertOnce(metrics) >= Object.keys(rows).length, "an assertion is missing");
      assert.deepEqual(
        metrics.user.query({ step: "map", name: "numbers doubled", type: "counter" }).map(({ attempted }) => attempted),
        [40],
      );
    });

  it("has gone on from many checkpoints", () => assert.ok(wentOn > Object.keys(rows).length / 4, `${wentOn} runs`));
});
