// The runner in this process, and its worker processes: sdk and runner wired together.
import { resolve } from "node:path";
import {
  inProcessLauncher,
  planPipeline,
  printTopology,
  runJob,
  type RuntimeOptions,
  type Topology,
  type TopologyFormat,
} from "../runner/index.js";
import { PipelineError } from "../portability/stage-host/index.js";
import { EmbeddedHost } from "../sdk/harness/embedded-host.js";
import { Program } from "../sdk/harness/program.js";
import type { PipelineDefinition, Run, Runner } from "../sdk/index.js";
import { translatePipeline } from "../sdk/translate/translate-pipeline.js";
import { findDefinition } from "./load-program.js";
import { localRun } from "./local-run.js";

/** Options of {@link local}. */
export interface LocalOptions {
  /** Worker processes; 1, the default, means this process alone. */
  readonly workers?: number;
  /**
   * Where worker processes find the pipeline: the URL of the module that exports it, mostly `import.meta.url`. Needed with
   * more than one worker, since functions do not travel between processes.
   */
  readonly module?: string;
  /** Under which name the module exports it; default: its default export, or the only one. */
  readonly exportName?: string;
  /**
   * Bytes of memory that each worker may take, about; default: what node lets its heap grow to. Groupings keep an eighth of it in memory
   * and spill the rest; worker processes are started with a heap that leaves room for everything else.
   */
  readonly memoryBytes?: number;
  /** Folder below which workers make their own for what they spill; default: the system's for temporary files. */
  readonly spillFolder?: string;
  /** Sizes and limits of the runtime, for tests and tuning. */
  readonly runtime?: Partial<RuntimeOptions>;
}

interface Planned {
  readonly program: Program;
  readonly topology: Topology;
}

function plan(definition: PipelineDefinition, options: Readonly<Record<string, unknown>>, workers: number): Planned {
  if (!(Number.isInteger(workers) && workers >= 1 && workers <= 256))
    throw new PipelineError("bad_option", `workers must be a whole number from 1 to 256, not ${workers}`);
  const graph = definition.build(options);
  return { program: new Program(graph), topology: planPipeline(translatePipeline(graph), { parallelism: workers }) };
}

/**
 * The topology that a run of the pipeline would have.
 *
 * @example
 * ```ts
 * const bolts = topologyOf(wordcount, { input: "a.txt" }).components.filter(({ kind }) => kind === "bolt");
 * ```
 */
export function topologyOf(
  definition: PipelineDefinition,
  options: Readonly<Record<string, unknown>> = {},
  { workers = 1 }: LocalOptions = {},
): Topology {
  return plan(definition, options, workers).topology;
}

/**
 * The topology that a run of the pipeline would have, for people: text, Mermaid or DOT.
 *
 * @example
 * ```ts
 * console.log(describeTopology(wordcount, { input: "a.txt" }));
 * ```
 */
export function describeTopology(
  definition: PipelineDefinition,
  options: Readonly<Record<string, unknown>> = {},
  { workers = 1 }: LocalOptions = {},
  format: TopologyFormat = "text",
): string {
  return printTopology(plan(definition, options, workers).topology, format).trimEnd();
}

async function start(definition: PipelineDefinition, given: Readonly<Record<string, unknown>>, options: LocalOptions): Promise<Run> {
  const { workers = 1, module, exportName } = options;
  const { program, topology } = plan(definition, given, workers);
  const runtime = runtimeOf(options);
  if (workers === 1)
    return localRun(
      runJob(topology, { launcher: inProcessLauncher(() => new EmbeddedHost(program)), runtime }),
      topology,
      program.graph.assertions,
    );
  if (module === undefined)
    throw new PipelineError(
      "no_module",
      `${workers} workers need to know the module that exports the pipeline: local({ workers: ${workers}, module: import.meta.url })`,
    );
  const name = exportName ?? (await findDefinition(module)).name;
  const { forkLauncher } = await import("./fork-launcher.js"); // not needed in most runs
  const spec = { module, exportName: name, options: given, fingerprint: program.fingerprint() };
  const launcher = forkLauncher(spec, options.memoryBytes);
  return localRun(runJob(topology, { launcher, workers, runtime }), topology, program.graph.assertions);
}

/** What a worker's memory means for the runtime: the rest is for batches under way, user code, and what the collector has not got to. */
function runtimeOf({ memoryBytes, spillFolder, runtime }: LocalOptions): Partial<RuntimeOptions> {
  return {
    ...(memoryBytes === undefined ? {} : { stateBytes: Math.floor(memoryBytes / 8) }),
    ...(spillFolder === undefined ? {} : { spillFolder: resolve(spillFolder) }),
    ...runtime,
  };
}

/**
 * A runner on this machine.
 *
 * @example
 * ```ts
 * await run(wordcount, { input: "a.txt" }, local());
 * ```
 */
export function local(options: LocalOptions = {}): Runner {
  return { start: (definition, given) => start(definition, given, options) };
}
