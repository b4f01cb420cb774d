import type { beam } from "../../portability/protos/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import { optionOf } from "./pipeline-options.js";

/** As Beam's runner for Flink calls it, so that SDKs know it; theirs is -1 unless it is given. */
const NAME = "parallelism";
/** Tasks of a bolt, at most. */
export const MOST_TASKS = 256;

/**
 * How many tasks each bolt of a pipeline is to have.
 *
 * @param byDefault where the pipeline does not say
 * @throws PipelineError `bad_option` for what is no number of tasks
 */
export function parallelismOf(options: beam.job.IPrepareJobRequest["pipelineOptions"], byDefault: number): number {
  const given = optionOf(options, NAME) ?? "-1";
  if (given === "-1") return byDefault;
  const tasks = given.trim() === "" ? NaN : Number(given);
  if (Number.isInteger(tasks) && tasks >= 1 && tasks <= MOST_TASKS) return tasks;
  throw new PipelineError(
    "bad_option",
    `${NAME} must be a whole number from 1 to ${MOST_TASKS}, or -1, not ${JSON.stringify(given.slice(0, 120))}`,
  );
}
