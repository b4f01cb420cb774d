// The runner in this process, and its worker processes: sdk and runner wired together.
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import {
  inProcessLauncher,
  planPipeline,
  printTopology,
  runJob,
  type CheckpointOptions,
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
   * Bytes of memory that each worker may take, about; default: what node lets its heap grow to. Groupings and state keep an eighth of it in
   * memory and the rest on disk; worker processes are started with a heap that leaves room for everything else.
   */
  readonly memoryBytes?: number;
  /** Folder below which workers make their own for what they spill; default: the system's for temporary files. */
  readonly spillFolder?: string;
  /** Starts the run with its unbounded sources drained: they end at once, everything else runs as ever (Beam's experiment `drain`). Default false. */
  readonly startsDrained?: boolean;
  /**
   * Folder in which the run takes checkpoints, and from the last of which it goes on if there is one: all that the pipeline keeps is then as it
   * was, and its sources go on from where they were. A run whose process was killed goes on when the same pipeline is run with the same folder;
   * one that loses a worker process goes on by itself. Default: no checkpoints.
   */
  readonly checkpointDir?: string;
  /** Milliseconds between two checkpoints; default 10 000. */
  readonly checkpointIntervalMs?: number;
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
  const { workers = 1, module, exportName, startsDrained } = options;
  const { program, topology } = plan(definition, given, workers);
  const runtime = runtimeOf(options);
  const checkpoints = checkpointsOf(options, program);
  if (workers === 1)
    return localRun(
      runJob(topology, { launcher: inProcessLauncher(() => new EmbeddedHost(program)), runtime, startsDrained, checkpoints }),
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
  return localRun(runJob(topology, { launcher, workers, runtime, startsDrained, checkpoints }), topology, program.graph.assertions);
}

/** What a worker's memory means for the runtime: the rest is for batches under way, user code, and what the collector has not got to. */
function runtimeOf({ memoryBytes, spillFolder, runtime }: LocalOptions): Partial<RuntimeOptions> {
  return {
    ...(memoryBytes === undefined ? {} : { stateBytes: Math.floor(memoryBytes / 8) }),
    ...(spillFolder === undefined ? {} : { spillFolder: resolve(spillFolder) }),
    ...runtime,
  };
}

function checkpointsOf(
  { checkpointDir, checkpointIntervalMs: intervalMs = 10_000 }: LocalOptions,
  program: Program,
): CheckpointOptions | undefined {
  if (checkpointDir === undefined) return undefined;
  if (!(intervalMs >= 1 && intervalMs <= 2 ** 31 - 1))
    throw new PipelineError("bad_option", `checkpointIntervalMs must be from 1 to ${2 ** 31 - 1}, not ${intervalMs}`);
  const fingerprint = createHash("sha256").update(program.fingerprint()).digest("hex");
  return { folder: resolve(checkpointDir), intervalMs, fingerprint };
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
