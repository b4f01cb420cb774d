import type { beam } from "../../portability/protos/index.js";
import { SDK_CAPABILITY } from "../../portability/urns/index.js";
import type { KV } from "../../portability/values/index.js";
import { FnServer, RemoteStageHost } from "../../runner/bundles/index.js";
import { inProcessLauncher, planPipeline, runJob, type Job, type RuntimeOptions } from "../../runner/index.js";
import { FakeWorkerPool, type FakeTransform } from "./fake-harness.js";
import { PipelineBuilder } from "./pipeline-builder.js";

/** Of transforms that fake harnesses execute. */
export const remote = { environment: "remote" };

/** What differs from one job to another. */
export interface RemoteJobSettings {
  readonly runtime?: Partial<RuntimeOptions>;
  readonly parallelism?: number;
  /** Whether transforms with state join the stages of their producers where they can. */
  readonly joinsState?: boolean;
  /** Whether harnesses that the pool starts connect; they do unless told otherwise. */
  readonly connects?: boolean;
  readonly silenceMs?: number;
  readonly capabilities?: string[];
  readonly progressMs?: number;
  readonly onLog?: (entry: beam.fn.ILogEntry) => void;
}

/** Jobs at fake harnesses, one a test. */
export class RemoteJobs {
  server!: FnServer;
  /** Of the job that was started last. */
  pool!: FakeWorkerPool;

  /** @param embeds whether harnesses take elements with orders, and give them with answers */
  constructor(readonly embeds: boolean) {}

  async open(): Promise<void> {
    this.server = await FnServer.open();
  }

  async close(): Promise<void> {
    await this.pool?.close(); // none, if no job was started
    await this.server.close();
  }

  /** Runs a pipeline whose remote transforms, by name, are these functions. */
  async start(p: PipelineBuilder, functions: Record<string, FakeTransform>, settings: RemoteJobSettings = {}): Promise<Job> {
    const { runtime, parallelism = 1, joinsState, connects, silenceMs, progressMs, capabilities, onLog } = settings;
    const { server, embeds } = this;
    this.pool = await FakeWorkerPool.open(functions, connects, embeds);
    const embedding = embeds ? [SDK_CAPABILITY.CONTROL_REQUEST_ELEMENTS_EMBEDDING] : [];
    p.environments["remote"] = { ...this.pool.environment, capabilities: [...(capabilities ?? []), ...embedding] };
    p.coders["window"] = { spec: { urn: "beam:coder:global_window:v1" } };
    p.windowingStrategies["global"].windowCoderId = "window";
    const topology = planPipeline(p.build(), { parallelism, joinsState });
    const launcher = inProcessLauncher(
      () => new RemoteStageHost({ jobId: "j", server, silenceMs, progressMs, onLog, connectTimeoutMs: connects === false ? 50 : 10_000 }),
    );
    return runJob(topology, { launcher, runtime });
  }
}

/** Declares tests twice: at harnesses that have elements come beside orders and answers, and at those that have them come with these. */
export function describeRemote(what: string, tests: (jobs: RemoteJobs) => void): void {
  for (const embeds of [false, true])
    describe(embeds ? `${what}, elements with orders and answers` : what, () => {
      const jobs = new RemoteJobs(embeds);
      beforeEach(() => jobs.open());
      afterEach(() => jobs.close());
      tests(jobs);
    });
}

/** Emits 0 to n − 1. */
export const count =
  (n: number): FakeTransform =>
  (_value, meta, emit) => {
    for (let i = 0; i < n; i++) emit(i, meta);
  };

/** impulse → "numbers" → grouped by "key" → "collect" */
export function grouping(): PipelineBuilder {
  const p = new PipelineBuilder();
  const keyed = p.parDo("key", p.parDo("numbers", p.impulse(), "increment", remote), "key by mod 3", remote);
  p.parDo("collect", p.groupByKey("group", keyed), "increment", remote);
  return p;
}

/** Functions of {@link grouping} by which 0 to n − 1 are added up by what they leave when divided by 3. */
export function sumsByKey(sums: Map<unknown, number>, n: number): Record<string, FakeTransform> {
  return {
    numbers: count(n),
    key: (value, meta, emit) => emit({ key: `k${(value as number) % 3}`, value }, meta),
    collect: (value) => {
      const { key, value: values } = value as KV<unknown, number[]>;
      sums.set(
        key,
        values.reduce((sum, each) => sum + each, 0),
      );
    },
  };
}
