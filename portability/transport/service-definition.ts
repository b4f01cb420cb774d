// What a transport has to know of a service: its methods with their paths, their kinds, and how their messages become bytes.
import type protobuf from "protobufjs/minimal.js";
import { beam } from "../protos/index.js";
import type {
  ArtifactRetrievalService,
  ArtifactStagingService,
  ExpansionService,
  FnControlService,
  FnDataService,
  FnLoggingService,
  FnStateService,
  FnWorkerPoolService,
  FnWorkerStatusService,
  JobService,
  ProvisionService,
  SamplingService,
} from "../services/index.js";

/** Turns messages of one type into bytes and back. */
export interface MessageCodec {
  encode(message: unknown): Buffer;
  decode(bytes: Buffer): unknown;
}

export interface MethodDefinition {
  /** As in the interface, e.g. `getState`. */
  readonly name: string;
  /** As on the wire, e.g. `/org.apache.beam.model.job_management.v1.JobService/GetState`. */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly request: MessageCodec;
  readonly response: MessageCodec;
}

/** A service of the interface `S`. */
export interface ServiceDefinition<S> {
  readonly methods: readonly MethodDefinition[];
  /** Never there: ties the definition to its interface. */
  readonly service?: S;
}

interface MessageType {
  encode(message: unknown): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
}

/** What the generated code puts on each method of a service's prototype. */
interface GeneratedMethod {
  readonly path: string;
  readonly requestType: string;
  readonly responseType: string;
  readonly requestStream?: boolean;
  readonly responseStream?: boolean;
}

function define<S>(service: { readonly prototype: protobuf.rpc.Service }, namespace: object): ServiceDefinition<S> {
  const types = namespace as Readonly<Record<string, MessageType>>;
  const methods = Object.entries(service.prototype as unknown as Readonly<Record<string, GeneratedMethod>>)
    .filter(([, { path }]) => path !== undefined)
    .map(([name, method]): MethodDefinition => ({
      name,
      path: method.path,
      requestStream: method.requestStream === true,
      responseStream: method.responseStream === true,
      request: codecOf(types[method.requestType.split(".")[0]], method.requestType),
      response: codecOf(types[method.responseType.split(".")[0]], method.responseType),
    }));
  return { methods };
}

/** @param name of the type; nested ones have dots, of which the first part is resolved already */
function codecOf(outer: MessageType, name: string): MessageCodec {
  const type = name
    .split(".")
    .slice(1)
    .reduce<MessageType>((found, part) => (found as unknown as Readonly<Record<string, MessageType>>)[part], outer);
  return {
    encode: (message) => asBuffer(type.encode(message).finish()),
    decode: (bytes) => type.decode(bytes),
  };
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const JOB_SERVICE = define<JobService>(beam.job.JobService, beam.job);
export const ARTIFACT_STAGING_SERVICE = define<ArtifactStagingService>(beam.job.ArtifactStagingService, beam.job);
export const ARTIFACT_RETRIEVAL_SERVICE = define<ArtifactRetrievalService>(beam.job.ArtifactRetrievalService, beam.job);
export const EXPANSION_SERVICE = define<ExpansionService>(beam.expansion.ExpansionService, beam.expansion);
/** Our own, of Beam's messages. */
export const SAMPLING_SERVICE: ServiceDefinition<SamplingService> = {
  methods: [
    {
      name: "sampleData",
      path: "/beamstorm.v1.Sampling/SampleData",
      requestStream: false,
      responseStream: false,
      request: codecOf(beam.fn.SampleDataRequest as MessageType, ""),
      response: codecOf(beam.fn.SampleDataResponse as MessageType, ""),
    },
  ],
};
export const PROVISION_SERVICE = define<ProvisionService>(beam.fn.ProvisionService, beam.fn);
export const FN_CONTROL_SERVICE = define<FnControlService>(beam.fn.BeamFnControl, beam.fn);
export const FN_DATA_SERVICE = define<FnDataService>(beam.fn.BeamFnData, beam.fn);
export const FN_STATE_SERVICE = define<FnStateService>(beam.fn.BeamFnState, beam.fn);
export const FN_LOGGING_SERVICE = define<FnLoggingService>(beam.fn.BeamFnLogging, beam.fn);
export const FN_WORKER_POOL_SERVICE = define<FnWorkerPoolService>(beam.fn.BeamFnExternalWorkerPool, beam.fn);
export const FN_WORKER_STATUS_SERVICE = define<FnWorkerStatusService>(beam.fn.BeamFnWorkerStatus, beam.fn);
