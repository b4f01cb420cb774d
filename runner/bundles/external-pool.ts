import type { beam } from "../../portability/protos/index.js";
import { callContext, FN_WORKER_POOL_SERVICE, GrpcConnection } from "../../portability/transport/index.js";
import type { FnServices } from "./fn-services.js";
import { Harness, HarnessLostError } from "./harness.js";
import { externalEndpoint, type HarnessPool } from "./remote-host.js";

/** How long a harness may take to connect, in milliseconds. */
const CONNECT_MS = 60_000;

export interface ExternalPoolParts {
  /** Names the job in worker ids. */
  readonly job: string;
  readonly environments: Readonly<Record<string, beam.pipeline.IEnvironment>>;
  readonly options: beam.fn.IProvisionInfo["pipelineOptions"];
  readonly services: FnServices;
  readonly url: string;
  readonly onLog: (entry: beam.fn.ILogEntry) => void;
}

/** Harnesses of external environments, LOOPBACK among them: started by the worker pool that each environment names. */
export class ExternalPool implements HarnessPool {
  private readonly started = new Map<string, Promise<Harness>>();
  private readonly ends: (() => Promise<void>)[] = [];

  constructor(private readonly parts: ExternalPoolParts) {}

  get url(): string {
    return this.parts.url;
  }

  harness(environmentId: string): Promise<Harness> {
    let harness = this.started.get(environmentId);
    if (harness === undefined) this.started.set(environmentId, (harness = this.start(environmentId)));
    return harness;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.started.values());
    for (const end of this.ends.splice(0)) await end();
  }

  private async start(environmentId: string): Promise<Harness> {
    const { job, environments, options, services, url, onLog } = this.parts;
    const address = externalEndpoint(environmentId, environments[environmentId]);
    const endpoint = { url };
    const provision: beam.fn.IProvisionInfo = {
      pipelineOptions: options,
      controlEndpoint: endpoint,
      loggingEndpoint: endpoint,
      artifactEndpoint: endpoint,
      dependencies: [],
      runnerCapabilities: [],
    };
    const workerId = `${job}_${environmentId}`;
    const harness = new Harness(workerId, `the harness of environment "${environmentId}" at ${address}`, provision, onLog);
    services.add(harness);
    const connection = new GrpcConnection(address);
    const pool = connection.service(FN_WORKER_POOL_SERVICE);
    this.ends.push(async () => {
      harness.close();
      services.remove(harness);
      await pool.stopWorker({ workerId }, callContext()).catch(() => undefined); // it may have ended with its client
      connection.close();
    });
    const request = {
      workerId,
      controlEndpoint: endpoint,
      loggingEndpoint: endpoint,
      artifactEndpoint: endpoint,
      provisionEndpoint: endpoint,
    };
    const { error } = await pool.startWorker(request, callContext()).catch((cause: unknown) => {
      throw new HarnessLostError(`${harness.name} cannot be started: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    });
    if (error) throw new HarnessLostError(`${harness.name} cannot be started: ${error}`);
    await harness.ready(CONNECT_MS);
    return harness;
  }
}
