// The job service of a server, with errors for people.
import { PipelineError } from "../portability/stage-host/index.js";
import { ServiceError, type CallContext, type JobService, type SamplingService } from "../portability/services/index.js";
import { callContext, GrpcConnection, JOB_SERVICE, SAMPLING_SERVICE } from "../portability/transport/index.js";
import { beam } from "../portability/protos/index.js";
import { ExitCode } from "./exit-codes.js";

/** How long a server may take to answer. */
const ANSWER_WITHIN_MS = 30_000;
/** Beam's peers listen there. */
const DEFAULT_PORT = 8099;

export type State = beam.job.JobState.Enum;
const { Enum } = beam.job.JobState;

export class JobClient {
  private readonly connection: GrpcConnection;
  private readonly service: JobService & SamplingService;

  /** @param server `host`, or `host:port` */
  constructor(private readonly server: string) {
    const hasPort = /^(\[[^\]]*\]|[^:]+):\d+$/.test(server);
    this.connection = new GrpcConnection(hasPort ? server : `${server}:${DEFAULT_PORT}`);
    this.service = { ...this.connection.service(JOB_SERVICE), ...this.connection.service(SAMPLING_SERVICE) };
  }

  /** Calls a method. @throws PipelineError that says what is wrong, and where */
  async ask<T>(call: (service: JobService & SamplingService, context: CallContext) => Promise<T>, metadata = {}): Promise<T> {
    const late = AbortSignal.timeout(ANSWER_WITHIN_MS);
    try {
      return await call(this.service, callContext(metadata, late));
    } catch (error) {
      throw this.explained(error, late.aborted);
    }
  }

  /** Reads a stream to its end. @throws PipelineError likewise */
  async *read<T>(call: (service: JobService, context: CallContext) => AsyncIterable<T>): AsyncGenerator<T> {
    try {
      yield* call(this.service, callContext());
    } catch (error) {
      throw this.explained(error, false);
    }
  }

  close(): void {
    this.connection.close();
  }

  private explained(error: unknown, isLate: boolean): unknown {
    if (!(error instanceof ServiceError)) return error;
    const { code } = error;
    const details = error.message.replace(`[${code}] `, "").split(". Resolution note")[0];
    const { server } = this;
    const say = (text: string): PipelineError => new PipelineError("job_service", text, { cause: error });
    if (isLate) return say(`the job server at ${server} has not answered within ${ANSWER_WITHIN_MS / 1000} s`);
    if (code === "UNAVAILABLE") return say(`no job server answers at ${server}: ${details}`);
    if (code === "UNIMPLEMENTED") return say(`the job server at ${server} cannot do that: ${details}`);
    if (code === "NOT_FOUND") return say(`${details} at ${server}; beamstorm jobs list --to ${server} says which there are`);
    return say(`the job server at ${server} refuses: ${details}`);
  }
}

/** As Beam calls it. */
export function nameOfState(state: State | null | undefined): string {
  return Enum[state ?? 0] ?? `state ${state}`;
}

export function isFinal(state: State | null | undefined): boolean {
  return FINAL.has(state ?? 0);
}

const FINAL: ReadonlySet<State> = new Set([Enum.DONE, Enum.FAILED, Enum.CANCELLED, Enum.UPDATED, Enum.DRAINED]);

/** What the end of a job is for a command that has waited for it. */
export function exitCodeOf(state: State | null | undefined): number {
  return state === Enum.DONE || state === Enum.DRAINED || state === Enum.UPDATED ? ExitCode.DONE : ExitCode.FAILED;
}
