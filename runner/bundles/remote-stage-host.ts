import { CoderRegistry, type Coder } from "../../portability/coders/index.js";
import type { beam, google } from "../../portability/protos/index.js";
import type { StageContext, StageDescriptor, StageExecutor, StageHost } from "../../portability/stage-host/index.js";
import { planBundles } from "./bundle-descriptor.js";
import type { FnServer } from "./fn-server.js";
import { Harness } from "./harness.js";
import { rawCoder } from "./raw-coder.js";
import { RemoteExecutor } from "./remote-executor.js";
import { workerEnvironment, type WorkerEnvironment } from "./worker-environment.js";

export interface RemoteHostOptions {
  readonly jobId: string;
  readonly server: FnServer;
  /** Told what harnesses log. */
  readonly onLog?: (entry: beam.fn.ILogEntry) => void;
  readonly pipelineOptions?: google.protobuf.IStruct | null;
  /** How long a worker may take to open its control stream. Default: one minute. */
  readonly connectTimeoutMs?: number;
}

interface Worker {
  readonly harness: Harness;
  readonly environment: WorkerEnvironment;
}

let hosts = 0;

/**
 * Executes stages at SDK harnesses in other processes, over the Fn API, on raw bytes (raw-coder.ts).
 *
 * - A1. Each environment has one harness, started with the first stage that needs it, until the host is closed.
 * - A2. Closing ends every harness that was started, also one that never came up.
 */
export class RemoteStageHost implements StageHost {
  private readonly number = ++hosts;
  private readonly coders = new Map<string, Coder<unknown>>();
  private readonly workers = new Map<string, Promise<Worker>>();
  private readonly started: (() => Promise<void>)[] = [];
  private stages = 0;

  constructor(private readonly options: RemoteHostOptions) {}

  coder({ components }: StageDescriptor, coderId: string): Coder<unknown> {
    let coder = this.coders.get(coderId);
    if (coder === undefined) this.coders.set(coderId, (coder = this.buildCoder(coderId, components)));
    return coder;
  }

  async open(stage: StageDescriptor, context: StageContext): Promise<StageExecutor> {
    const { harness } = await this.workerOf(stage);
    const plan = planBundles(stage, `${this.options.jobId}/${stage.id}/${++this.stages}`, this.options.server.url);
    harness.addDescriptor(plan.descriptor);
    return new RemoteExecutor(harness, stage, plan, context);
  }

  async close(): Promise<void> {
    await Promise.all(this.started.splice(0).map((stop) => stop()));
  }

  /** Windows are read and written whole: only their elements are raw. */
  private buildCoder(coderId: string, components: beam.pipeline.IComponents): Coder<unknown> {
    const coders = components.coders ?? {};
    const isWindow = Object.values(components.windowingStrategies ?? {}).some(({ windowCoderId }) => windowCoderId === coderId);
    return isWindow ? new CoderRegistry().fromProto(coderId, coders) : rawCoder(coderId, coders);
  }

  /** A1 */
  private workerOf({ environmentId, components }: StageDescriptor): Promise<Worker> {
    let worker = this.workers.get(environmentId);
    if (worker === undefined)
      this.workers.set(environmentId, (worker = this.startWorker(environmentId, components.environments?.[environmentId] ?? {})));
    return worker;
  }

  private async startWorker(environmentId: string, proto: beam.pipeline.IEnvironment): Promise<Worker> {
    const { jobId, server, onLog, pipelineOptions, connectTimeoutMs = 60_000 } = this.options;
    const environment = workerEnvironment(environmentId, proto);
    const workerId = `${jobId}-${this.number}-${environmentId}`;
    const endpoint = { url: server.url };
    const provision: beam.fn.IProvisionInfo = {
      pipelineOptions,
      controlEndpoint: endpoint,
      loggingEndpoint: endpoint,
      artifactEndpoint: endpoint,
      dependencies: proto.dependencies,
      metadata: { runner: "beamstorm", job_id: jobId },
    };
    const harness = new Harness(workerId, `the SDK harness of environment "${environmentId}"`, provision, onLog ?? (() => {}));
    server.services.add(harness);
    this.started.push(async () => {
      harness.close();
      await environment.stop(workerId); // A2
      server.services.remove(harness);
    });
    await environment.start(workerId, server.url);
    await harness.ready(connectTimeoutMs);
    return { harness, environment };
  }
}
