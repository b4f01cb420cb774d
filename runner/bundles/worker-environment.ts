// How a harness is brought up and down, by the kind of its environment.
//
// E1. Of environments among which a pipeline leaves the choice, the first that can be had is taken: a service that is there already, then a
//     process, then a container.
import { beam } from "../../portability/protos/index.js";
import { PipelineError, type StageDescriptor } from "../../portability/stage-host/index.js";
import { ENVIRONMENT } from "../../portability/urns/index.js";
import { containerOf, processOf } from "./child-worker.js";
import { dockerProblem } from "./docker.js";
import { namesOf } from "./harness-error.js";
import { WorkerPool } from "./worker-pool.js";

/** What a worker is asked for. */
export interface WorkerRequest {
  readonly workerId: string;
  /** Where all services of the Fn API are. */
  readonly url: string;
  /** Told what the worker writes to its output, by the line. */
  readonly said: (line: string) => void;
  /** Told when it has ended by itself, and how. */
  readonly ended: (how: string) => void;
}

/** One worker. */
export interface WorkerEnvironment {
  /** Asks for it; it then calls the services by itself. */
  start(request: WorkerRequest): Promise<void>;
  /** Of a worker that has hung up: resolves when it has been told how it has ended, or when it seems that it has not. */
  whenGone?(): Promise<void>;
  /** Ends it, if it has not ended by itself. Never fails. */
  stop(): Promise<void>;
}

/** What people are told who cannot have what they asked for. */
const ADVICE =
  "use --environment_type=LOOPBACK, EXTERNAL with the address of a worker pool, or PROCESS with a command that starts a worker";

/** In the order of E1. */
const KINDS: readonly string[] = [ENVIRONMENT.EXTERNAL, ENVIRONMENT.PROCESS, ENVIRONMENT.DOCKER];

/** @throws PipelineError `environment_unsupported` for one that the runner cannot start */
export function checkEnvironment(id: string, environment: beam.pipeline.IEnvironment): void {
  workerEnvironment(id, environment);
}

/** The rest of that check, for which others have to be asked. @throws PipelineError `environment_unsupported` */
export async function checkEnvironments(stages: readonly StageDescriptor[]): Promise<void> {
  const checked = new Set<string>();
  for (const stage of stages) {
    const { environmentId, components } = stage;
    if (checked.has(environmentId)) continue;
    checked.add(environmentId);
    if (choose(environmentId, components.environments?.[environmentId] ?? {}).urn !== ENVIRONMENT.DOCKER) continue;
    const problem = await dockerProblem();
    if (problem !== undefined)
      throw unsupported(
        `"${namesOf(stage)}" cannot be run: environment "${environmentId}" is a container, and this machine has no engine that answers (${problem})`,
      );
  }
}

/** @throws PipelineError `environment_unsupported` */
export function workerEnvironment(id: string, environment: beam.pipeline.IEnvironment): WorkerEnvironment {
  const { urn, payload } = choose(id, environment);
  const bytes = payload ?? new Uint8Array(0);
  try {
    if (urn === ENVIRONMENT.EXTERNAL) {
      const { endpoint, params } = beam.pipeline.ExternalPayload.decode(bytes);
      if (endpoint?.url) return new WorkerPool(endpoint.url, params);
    } else if (urn === ENVIRONMENT.PROCESS) {
      const { command, env } = beam.pipeline.ProcessPayload.decode(bytes);
      if (command !== "") return processOf(command, env);
    } else {
      const { containerImage } = beam.pipeline.DockerPayload.decode(bytes);
      if (containerImage !== "") return containerOf(containerImage);
    }
  } catch (cause) {
    throw new PipelineError("environment_unsupported", `the payload of environment "${id}" cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
  throw unsupported(`environment "${id}" (${urn}) does not say what to start`);
}

/** E1 */
function choose(id: string, environment: beam.pipeline.IEnvironment): beam.pipeline.IEnvironment {
  const offers = offersOf(id, environment);
  for (const kind of KINDS) {
    const offer = offers.find(({ urn }) => urn === kind);
    if (offer !== undefined) return offer;
  }
  if (environment.urn === ENVIRONMENT.DEFAULT)
    throw unsupported(`environment "${id}" leaves it to the runner where its functions are run, and this runner has no workers of its own`);
  const kinds = offers.map(({ urn }) => urn || "(none)").join(", ") || environment.urn;
  throw unsupported(`environment "${id}" is of the kind ${kinds}, which this runner cannot start`);
}

function offersOf(id: string, { urn, payload }: beam.pipeline.IEnvironment): readonly beam.pipeline.IEnvironment[] {
  if (urn !== ENVIRONMENT.ANYOF) return [{ urn, payload }];
  try {
    return beam.pipeline.AnyOfEnvironmentPayload.decode(payload ?? new Uint8Array(0)).environments;
  } catch (cause) {
    throw new PipelineError("environment_unsupported", `the payload of environment "${id}" cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function unsupported(what: string): PipelineError {
  return new PipelineError("environment_unsupported", `${what}; ${ADVICE}`);
}
