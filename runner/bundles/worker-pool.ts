import { callContext, FN_WORKER_POOL_SERVICE, GrpcConnection } from "../../portability/transport/index.js";
import type { WorkerEnvironment, WorkerRequest } from "./worker-environment.js";

/** How long a worker pool may take to answer, in milliseconds. */
const POOL_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 2_000;

/** `beam:env:external:v1`: a service starts the worker; with Python's LOOPBACK it is the client itself. */
export class WorkerPool implements WorkerEnvironment {
  private workerId: string | undefined;

  constructor(
    private readonly url: string,
    private readonly params: Record<string, string>,
  ) {}

  async start({ workerId, url }: WorkerRequest): Promise<void> {
    this.workerId = workerId;
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

  async stop(): Promise<void> {
    const { workerId } = this;
    if (workerId === undefined) return;
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
