import { PipelineError } from "../../portability/stage-host/index.js";
import { DEFAULT_RUNTIME_OPTIONS, type RuntimeOptions } from "../runtime/index.js";
import type { Topology } from "../topology/index.js";
import { Coordinator } from "./coordinator.js";
import type { Job } from "./job.js";
import type { CheckpointOptions } from "./job-checkpoints.js";
import { hasVirtualTime } from "./deployment.js";
import { checkGroupings } from "./read-grouping-strategy.js";
import type { WorkerLauncher } from "./worker-port.js";

/** How a topology is run. */
export interface RunJobOptions {
  readonly launcher: WorkerLauncher;
  /** Number of workers; 1 unless given. */
  readonly workers?: number;
  readonly runtime?: Partial<RuntimeOptions>;
  /** Names the job; a random one unless given. */
  readonly jobId?: string;
  /** Starts the job with its sources drained, as Beam's experiment `drain` wants it: impulses come, nothing else is read. It ends with DONE. */
  readonly startsDrained?: boolean;
  /** Where the job takes checkpoints, from the last of which it goes on; without it nothing of a run outlives it. */
  readonly checkpoints?: CheckpointOptions | undefined;
}

/**
 * Starts a job; it runs on by itself, {@link Job} tells how it fares.
 *
 * @throws PipelineError if the topology has groupings that the runtime cannot do; nothing has been started then.
 * @example
 * ```ts
 * const job = runJob(planned, { launcher: inProcessLauncher(() => host) });
 * await job.result;
 * ```
 */
export function runJob(topology: Topology, options: RunJobOptions): Job {
  const { launcher, workers = 1, runtime, jobId: id, startsDrained, checkpoints } = options;
  if (!(Number.isSafeInteger(workers) && workers >= 1))
    throw new RangeError(`workers must be a whole number of at least 1, not ${workers}`);
  checkGroupings(topology);
  if (workers > 1 && hasVirtualTime(topology, runtime ?? {}))
    throw new PipelineError(
      "virtual_time_workers",
      "a pipeline with a TestStream, or with virtual time, runs in one process: leave out the number of workers",
    );
  if (checkpoints !== undefined && hasVirtualTime(topology, runtime ?? {}))
    throw new PipelineError("virtual_time_checkpoints", "a pipeline with a TestStream, or with virtual time, takes no checkpoints");
  const settings = { id, startsDrained, checkpoints };
  const coordinator = new Coordinator(topology, workers, { ...DEFAULT_RUNTIME_OPTIONS, ...runtime }, settings);
  void coordinator.start(launcher);
  return coordinator.job;
}
