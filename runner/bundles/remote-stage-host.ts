import type { Coder } from "../../portability/coders/index.js";
import { beam, type google } from "../../portability/protos/index.js";
import type { StageContext, StageDescriptor, StageExecutor, StageHost, WindowMerger } from "../../portability/stage-host/index.js";
import { SDK_CAPABILITY } from "../../portability/urns/index.js";
import { planBundles, planDrainedBundles } from "./bundle-descriptor.js";
import { gatherSamples } from "./element-samples.js";
import type { FnServer } from "./fn-server.js";
import { Harness, HarnessLostError } from "./harness.js";
import { ProcessMetrics } from "./process-metrics.js";
import { rawCoder } from "./raw-coder.js";
import { RemoteExecutor } from "./remote-executor.js";
import { RUNNER_CAPABILITIES } from "./runner-capabilities.js";
import { windowCoder } from "./window-coder.js";
import { WindowMerging } from "./window-merging.js";
import { workerEnvironment, type WorkerEnvironment } from "./worker-environment.js";

export interface RemoteHostOptions {
  readonly jobId: string;
  readonly server: FnServer;
  /** Told what harnesses log. */
  readonly onLog?: (entry: beam.fn.ILogEntry) => void;
  readonly pipelineOptions?: google.protobuf.IStruct | null;
  /** How long a worker may take to open its control stream. Default: one minute. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long a harness with work to do may say nothing, not even when it is asked. Default: three minutes. */
  readonly silenceMs?: number | undefined;
  /** How often a harness is asked how far a bundle is that lasts. Default: one second. */
  readonly progressMs?: number | undefined;
  /** Told what a harness has counted as a process so far, every so often and when the job has come to its end. */
  readonly onProcessMetrics?: (workerId: string, infos: readonly beam.pipeline.IMonitoringInfo[]) => void;
}

interface Worker {
  readonly harness: Harness;
  /** Resolves when it takes orders. */
  readonly ready: Promise<Harness>;
  /** Undefined for one that does not count. */
  readonly metrics: ProcessMetrics | undefined;
  readonly takesSamples: boolean;
  /** Ends it. */
  stop(): Promise<void>;
}

let hosts = 0;

/**
 * Executes stages at SDK harnesses in other processes, over the Fn API, on raw bytes (raw-coder.ts).
 *
 * - A1. Each environment has one harness, started with the first stage that needs it, until the host is closed.
 * - A2. Closing ends every harness that was started, also one that never came up.
 * - A3. For one that is lost another is started, when a stage is opened again and the lost one is ended: there is never more than one.
 */
export class RemoteStageHost implements StageHost {
  readonly keepsStateByProtocol = true;
  readonly isRemote = true;
  private readonly number = ++hosts;
  private readonly coders = new Map<string, Coder<unknown>>();
  private readonly workers = new Map<string, Worker>();
  private started = 0;
  private stages = 0;
  private isClosed = false;

  constructor(private readonly options: RemoteHostOptions) {}

  coder({ components }: StageDescriptor, coderId: string): Coder<unknown> {
    let coder = this.coders.get(coderId);
    if (coder === undefined) this.coders.set(coderId, (coder = this.buildCoder(coderId, components)));
    return coder;
  }

  windowMerger(stage: StageDescriptor, windowingStrategyId: string): WindowMerger {
    const strategy = stage.components.windowingStrategies?.[windowingStrategyId] ?? {};
    const asked = strategy.environmentId ? { ...stage, environmentId: strategy.environmentId } : stage;
    const merging = new WindowMerging(stage, strategy, `${this.options.jobId}/merge/${++this.stages}`, this.options.server.url);
    return async (windowsOfKeys) => {
      const harness = await this.harnessOf(asked);
      harness.addDescriptor(merging.descriptor);
      return merging.merge(harness, windowsOfKeys);
    };
  }

  async open(stage: StageDescriptor, context: StageContext): Promise<StageExecutor> {
    const harness = await this.harnessOf(stage);
    const id = `${this.options.jobId}/${stage.id}/${++this.stages}`;
    const { url } = this.options.server;
    const plan = planBundles(stage, id, url);
    const drained = planDrainedBundles(stage, `${id}/drained`, url);
    harness.addDescriptor(plan.descriptor);
    if (drained !== undefined) harness.addDescriptor(drained.descriptor);
    return new RemoteExecutor(harness, stage, plan, context, drained);
  }

  /**
   * Elements that harnesses have kept as samples since they were asked last; undefined if none of them says that it can.
   *
   * @param pcollectionIds empty for all
   */
  async samples(pcollectionIds: readonly string[]): Promise<beam.fn.ISampleDataResponse | undefined> {
    const sampling = [...this.workers.values()].flatMap(({ harness, takesSamples }) => (takesSamples ? [harness] : []));
    return sampling.length === 0 ? undefined : gatherSamples(sampling, pcollectionIds);
  }

  async close(isComplete = false): Promise<void> {
    this.isClosed = true;
    if (isComplete) await Promise.all([...this.workers.values()].map(async ({ metrics }) => metrics?.last()));
    await Promise.all([...this.workers.values()].map((worker) => worker.stop()));
  }

  /** Windows are read and written whole: only their elements are raw. */
  private buildCoder(coderId: string, components: beam.pipeline.IComponents): Coder<unknown> {
    const coders = components.coders ?? {};
    const isWindow = Object.values(components.windowingStrategies ?? {}).some(({ windowCoderId }) => windowCoderId === coderId);
    return isWindow ? windowCoder(coderId, coders) : rawCoder(coderId, coders);
  }

  /** A1, A3 */
  private async harnessOf({ environmentId, components }: StageDescriptor): Promise<Harness> {
    const before = this.workers.get(environmentId);
    if (before !== undefined && before.harness.lostBy === undefined) return before.ready;
    const worker = this.newWorker(environmentId, components.environments?.[environmentId] ?? {}, before);
    this.workers.set(environmentId, worker);
    return worker.ready;
  }

  private newWorker(environmentId: string, proto: beam.pipeline.IEnvironment, before: Worker | undefined): Worker {
    const { jobId, server, onLog = () => {}, pipelineOptions, silenceMs, progressMs } = this.options;
    const environment = workerEnvironment(environmentId, proto);
    const workerId = `${jobId}-${this.number}-${++this.started}`;
    const endpoint = { url: server.url };
    const provision: beam.fn.IProvisionInfo = {
      pipelineOptions,
      controlEndpoint: endpoint,
      loggingEndpoint: endpoint,
      artifactEndpoint: endpoint,
      statusEndpoint: endpoint,
      dependencies: proto.dependencies,
      runnerCapabilities: [...RUNNER_CAPABILITIES],
      metadata: { runner: "beamstorm", job_id: jobId },
    };
    const name = `the SDK harness of environment "${environmentId}"`;
    const whenGone = (): Promise<void> => environment.whenGone?.() ?? Promise.resolve();
    const harness = new Harness(workerId, name, provision, onLog, silenceMs, whenGone, progressMs);
    const { onProcessMetrics } = this.options;
    const can = (capability: string): boolean => proto.capabilities?.includes(capability) === true;
    const counts = onProcessMetrics !== undefined && can(SDK_CAPABILITY.HARNESS_MONITORING_INFOS);
    const metrics = counts ? new ProcessMetrics(harness, (infos) => onProcessMetrics(workerId, infos)) : undefined;
    let stopping: Promise<void> | undefined;
    let predecessor = before;
    const stop = async (): Promise<void> => {
      metrics?.stop();
      harness.close();
      await Promise.all([predecessor?.stop(), environment.stop()]); // A2
      server.services.remove(harness);
    };
    const worker = { harness, metrics, takesSamples: can(SDK_CAPABILITY.DATA_SAMPLING), stop: () => (stopping ??= stop()) };
    const ready = this.start(worker, environment, before).finally(() => (predecessor = undefined));
    ready.catch(() => {}); // told to whoever opens a stage
    return { ...worker, ready };
  }

  private async start(worker: Omit<Worker, "ready">, environment: WorkerEnvironment, before: Worker | undefined): Promise<Harness> {
    const { server, onLog = () => {}, connectTimeoutMs = 60_000 } = this.options;
    const { harness } = worker;
    try {
      await before?.stop(); // A3
      if (this.isClosed) throw new HarnessLostError(`${harness.name} is not needed any more`);
      server.services.add(harness);
      await environment.start({
        workerId: harness.workerId,
        url: server.url,
        said: (message) => onLog({ severity: beam.fn.LogEntry.Severity.Enum.INFO, message }),
        ended: (how) => harness.fail(new HarnessLostError(`${harness.name} is gone: ${how}`)),
      });
      await harness.ready(connectTimeoutMs);
      worker.metrics?.start();
      return harness;
    } catch (error) {
      harness.fail(error as Error);
      const reason = before?.harness.lostBy;
      if (reason === undefined) throw error;
      throw new Error(`${reason.message}; another one cannot be had: ${(error as Error).message}`, { cause: error });
    }
  }
}
