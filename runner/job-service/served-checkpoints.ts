// Checkpoints of submitted jobs: a folder for each name that clients give them, below one that is the server's.
//
// C1. Names come from clients, and lead nowhere but to a folder of their own.
// C2. A pipeline goes on from the checkpoints of its like only: transforms of the same ids, names, kinds and inputs, and the same windows. What its
//     functions do may have changed.
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { beam } from "../../portability/protos/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import type { CheckpointOptions } from "../job/index.js";
import { optionOf } from "./pipeline-options.js";

/** Where a server keeps checkpoints, and how often jobs take them that say nothing of it. */
export interface ServerCheckpoints {
  readonly folder: string;
  readonly intervalMs: number;
}

const NAME = "checkpoint_name";
const INTERVAL = "checkpoint_interval_ms";
const LONGEST_INTERVAL_MS = 2 ** 31 - 1;

/** The options that pipelines have for it, so that SDKs take them from their command lines. */
export const CHECKPOINT_OPTIONS: readonly beam.job.IPipelineOptionDescriptor[] = [
  {
    name: NAME,
    type: beam.job.PipelineOptionType.Enum.STRING,
    description: "Take checkpoints under this name, and go on from the last one if there is any.",
    group: "beamstorm",
  },
  {
    name: INTERVAL,
    type: beam.job.PipelineOptionType.Enum.INTEGER,
    description: "Milliseconds between two checkpoints.",
    group: "beamstorm",
  },
];

/** The name that a pipeline's checkpoints have; undefined if it wants none. @throws PipelineError `bad_option` (C1) */
export function checkpointNameOf(options: beam.job.IPrepareJobRequest["pipelineOptions"]): string | undefined {
  const name = optionOf(options, NAME);
  if (name === undefined || name === "") return undefined;
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) return name;
  throw new PipelineError(
    "bad_option",
    `${NAME} must be up to 100 letters, digits, dots, dashes and underscores, the first a letter or digit, not ${JSON.stringify(name.slice(0, 120))}`,
  );
}

/**
 * How a pipeline wants to be checkpointed; undefined if it does not.
 *
 * @throws PipelineError `bad_option` for options that mean nothing, or that the server has no folder for
 */
export function checkpointsOf(
  pipeline: beam.pipeline.IPipeline,
  options: beam.job.IPrepareJobRequest["pipelineOptions"],
  server: ServerCheckpoints | undefined,
): CheckpointOptions | undefined {
  const name = checkpointNameOf(options);
  const interval = optionOf(options, INTERVAL);
  if (name === undefined) {
    if (interval !== undefined) throw new PipelineError("bad_option", `${INTERVAL} needs ${NAME}, under which checkpoints are kept`);
    return undefined;
  }
  if (server === undefined)
    throw new PipelineError("bad_option", `${NAME} "${name}": this job server keeps no checkpoints; start it with --checkpoint-dir FOLDER`);
  const intervalMs = interval === undefined ? server.intervalMs : Number(interval);
  if (!(Number.isInteger(intervalMs) && intervalMs >= 1 && intervalMs <= LONGEST_INTERVAL_MS))
    throw new PipelineError("bad_option", `${INTERVAL} must be a whole number from 1 to ${LONGEST_INTERVAL_MS}, not "${interval}"`);
  return { folder: join(resolve(server.folder), name), intervalMs, fingerprint: fingerprintOf(pipeline) };
}

/** C2 */
function fingerprintOf({ components }: beam.pipeline.IPipeline): string {
  const { transforms, pcollections, windowingStrategies } = components ?? {};
  const lines = [
    ...Object.entries(transforms ?? {}).map(([id, { uniqueName, spec, inputs, outputs }]) => [
      id,
      uniqueName,
      spec?.urn,
      sorted(inputs),
      sorted(outputs),
    ]),
    ...Object.entries(pcollections ?? {}).map(([id, { windowingStrategyId }]) => [id, windowingStrategyId]),
    ...Object.entries(windowingStrategies ?? {}).map(([id, strategy]) => [
      id,
      Buffer.from(beam.pipeline.WindowingStrategy.encode({ ...strategy, environmentId: "" }).finish()).toString("base64"),
    ]),
  ];
  const text = lines
    .map((line) => JSON.stringify(line))
    .toSorted()
    .join("\n");
  return createHash("sha256").update(text).digest("hex");
}

const sorted = (ports: Record<string, string> | null | undefined): [string, string][] =>
  Object.entries(ports ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
