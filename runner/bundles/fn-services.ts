// What SDK harnesses call: the Fn API's services for all harnesses of all jobs, told apart by the `worker_id` of each call.
import type { beam } from "../../portability/protos/index.js";
import {
  MessageQueue,
  ServiceError,
  WORKER_ID_METADATA,
  type ArtifactRetrievalService,
  type CallContext,
  type FnControlService,
  type FnDataService,
  type FnLoggingService,
  type FnStateService,
  type FnWorkerStatusService,
  type ProvisionService,
} from "../../portability/services/index.js";
import type { Harness } from "./harness.js";

/** Fetches an artifact's bytes. @throws ServiceError NOT_FOUND */
export type ReadArtifact = (artifact: beam.pipeline.IArtifactInformation) => AsyncIterable<Uint8Array>;

export class FnServices
  implements
    FnControlService,
    FnDataService,
    FnStateService,
    FnLoggingService,
    FnWorkerStatusService,
    ProvisionService,
    ArtifactRetrievalService
{
  private readonly harnesses = new Map<string, Harness>();

  constructor(private readonly readArtifact: ReadArtifact = noArtifact) {}

  /** Calls of this worker are for this harness from now on. */
  add(harness: Harness): void {
    this.harnesses.set(harness.workerId, harness);
  }

  remove(harness: Harness): void {
    this.harnesses.delete(harness.workerId);
  }

  control(responses: AsyncIterable<beam.fn.IInstructionResponse>, context: CallContext): AsyncIterable<beam.fn.IInstructionRequest> {
    return this.harnessOf(context).serveControl(responses);
  }

  getProcessBundleDescriptor(
    { processBundleDescriptorId }: beam.fn.IGetProcessBundleDescriptorRequest,
    context: CallContext,
  ): Promise<beam.fn.IProcessBundleDescriptor> {
    return Promise.resolve(this.harnessOf(context).descriptor(processBundleDescriptorId ?? ""));
  }

  data(elements: AsyncIterable<beam.fn.IElements>, context: CallContext): AsyncIterable<beam.fn.IElements> {
    return this.harnessOf(context).serveData(elements);
  }

  state(requests: AsyncIterable<beam.fn.IStateRequest>, context: CallContext): AsyncIterable<beam.fn.IStateResponse> {
    return this.harnessOf(context).serveState(requests);
  }

  logging(entries: AsyncIterable<beam.fn.LogEntry.IList>, context: CallContext): AsyncIterable<beam.fn.ILogControl> {
    const harness = this.harnessOf(context);
    const nothing = new MessageQueue<beam.fn.ILogControl>();
    void logAll(entries, harness).finally(() => nothing.end());
    return nothing;
  }

  workerStatus(responses: AsyncIterable<beam.fn.IWorkerStatusResponse>, context: CallContext): AsyncIterable<beam.fn.IWorkerStatusRequest> {
    return this.harnessOf(context).serveStatus(responses);
  }

  getProvisionInfo(_request: beam.fn.IGetProvisionInfoRequest, context: CallContext): Promise<beam.fn.IGetProvisionInfoResponse> {
    return Promise.resolve({ info: this.harnessOf(context).provision });
  }

  resolveArtifacts({ artifacts }: beam.job.IResolveArtifactsRequest): Promise<beam.job.IResolveArtifactsResponse> {
    return Promise.resolve({ replacements: artifacts });
  }

  async *getArtifact({ artifact }: beam.job.IGetArtifactRequest): AsyncGenerator<beam.job.IGetArtifactResponse> {
    for await (const data of this.readArtifact(artifact ?? {})) yield { data };
  }

  private harnessOf({ metadata }: CallContext): Harness {
    const workerId = metadata.get(WORKER_ID_METADATA);
    if (workerId === undefined) throw new ServiceError("INVALID_ARGUMENT", `the call has no metadata ${WORKER_ID_METADATA}`);
    const harness = this.harnesses.get(workerId);
    if (harness === undefined) throw new ServiceError("NOT_FOUND", `no worker "${workerId.slice(0, 200)}" is expected`);
    return harness;
  }
}

async function logAll(entries: AsyncIterable<beam.fn.LogEntry.IList>, harness: Harness): Promise<void> {
  try {
    for await (const { logEntries } of entries) for (const entry of logEntries ?? []) harness.onLog(entry);
  } catch {
    // A log that breaks off is no failure: the control stream tells how the harness fares.
  }
}

// eslint-disable-next-line require-yield
async function* noArtifact({ typeUrn }: beam.pipeline.IArtifactInformation): AsyncGenerator<Uint8Array> {
  throw new ServiceError("NOT_FOUND", `there is no such artifact (${typeUrn || "without a type"})`);
}
