// How a harness is brought up and down, by the kind of its environment.
import { beam } from "../../portability/protos/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import { callContext, FN_WORKER_POOL_SERVICE, GrpcConnection } from "../../portability/transport/index.js";
import { ENVIRONMENT } from "../../portability/urns/index.js";

export interface WorkerEnvironment {
  /** Asks for a worker, which then calls the endpoint by itself. */
  start(workerId: string, endpoint: string): Promise<void>;
  /** Ends it, if it has not ended by itself. Never fails. */
  stop(workerId: string): Promise<void>;
}

/** How long a worker pool may take to answer, in milliseconds. */
const POOL_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 2_000;

/** @throws PipelineError `environment_unsupported` for one that the runner cannot start */
export function checkEnvironment(id: string, environment: beam.pipeline.IEnvironment): void {
  externalOf(id, environment);
}

/** @throws PipelineError `environment_unsupported` */
export function workerEnvironment(id: string, environment: beam.pipeline.IEnvironment): WorkerEnvironment {
  const { endpoint, params } = externalOf(id, environment);
  return new WorkerPool(endpoint?.url ?? "", params ?? {});
}

/** The environment that can be started: itself, or one of those that it offers. */
function externalOf(id: string, environment: beam.pipeline.IEnvironment): beam.pipeline.IExternalPayload {
  const external = offersOf(environment).find(({ urn }) => urn === ENVIRONMENT.EXTERNAL);
  if (external !== undefined) return beam.pipeline.ExternalPayload.decode(external.payload ?? new Uint8Array(0));
  throw new PipelineError(
    "environment_unsupported",
    `environment "${id}" is of the kind ${environment.urn || "(none)"}, which this runner cannot start yet; ` +
      "use --environment_type=LOOPBACK, or EXTERNAL with the address of a worker pool",
  );
}

function offersOf({ urn, payload }: beam.pipeline.IEnvironment): readonly beam.pipeline.IEnvironment[] {
  if (urn !== ENVIRONMENT.ANYOF) return [{ urn, payload }];
  return beam.pipeline.AnyOfEnvironmentPayload.decode(payload ?? new Uint8Array(0)).environments ?? [];
}

/** `beam:env:external:v1`: a service starts the worker; with Python's LOOPBACK it is the client itself. */
class WorkerPool implements WorkerEnvironment {
  constructor(
    private readonly url: string,
    private readonly params: Record<string, string>,
  ) {}

  async start(workerId: string, url: string): Promise<void> {
    const connection = new GrpcConnection(this.url);
    const endpoint = { url };
    const endpoints = { controlEndpoint: endpoint, loggingEndpoint: endpoint, artifactEndpoint: endpoint, provisionEndpoint: endpoint };
    try {
      const pool = connection.service(FN_WORKER_POOL_SERVICE);
      const { error } = await pool.startWorker({ workerId, ...endpoints, params: this.params }, timeLimit(POOL_TIMEOUT_MS));
      if (error) throw new Error(error);
    } catch (cause) {
      throw new Error(`the worker pool at ${this.url} has not started a worker: ${(cause as Error).message}`, { cause });
    } finally {
      connection.close();
    }
  }

  async stop(workerId: string): Promise<void> {
    const connection = new GrpcConnection(this.url);
    try {
      await connection.service(FN_WORKER_POOL_SERVICE).stopWorker({ workerId }, timeLimit(STOP_TIMEOUT_MS));
    } catch {
      // The pool has gone, and its workers with it.
    } finally {
      connection.close();
    }
  }
}

const timeLimit = (ms: number) => callContext({}, AbortSignal.timeout(ms));
