import { Command, InvalidArgumentError, Option } from "commander";
import { local } from "../local/index.js";
import { keepObjectsYoung } from "../local/young-objects.js";
import { CancelledError } from "../portability/stage-host/index.js";
import type { Run, RunMetrics } from "../sdk/index.js";
import { BusyWatch } from "./busy-watch.js";
import { componentTable } from "./component-table.js";
import { ExitCode } from "./exit-codes.js";
import { openProgram, workersOption } from "./open-program.js";
import { describeError } from "./print-error.js";
import { metricsTable } from "./metrics-table.js";
import { parseDuration } from "./parse-duration.js";
import { parseMemory } from "./parse-size.js";
import { reportProgress, summary } from "./progress.js";
import { controlRun } from "./run-control.js";
import { Signals } from "./signals.js";

interface Settings {
  readonly workers: number;
  readonly stallWarning: number;
  readonly memory?: number;
  readonly spillDir?: string;
  readonly metrics?: boolean;
  readonly attempts: number;
  readonly experiments: readonly string[];
  readonly checkpointDir?: string;
  readonly checkpointInterval?: number;
}

/** `beamstorm run FILE`: runs a pipeline on this machine until it is done or the user stops it. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  const command = new Command("run")
    .description("run the pipeline that FILE exports, on this machine")
    .addOption(workersOption())
    .addOption(
      new Option("--stall-warning <seconds>", "say what the run waits for after this long without progress").default(10).argParser(seconds),
    )
    .addOption(
      new Option("--memory <size>", "memory of each worker, such as 512m or 4g; groups and state that do not fit are on disk").argParser(
        parseMemory,
      ),
    )
    .addOption(
      new Option("--spill-dir <folder>", "where groups and state are spilled to (default: the system's folder for temporary files)"),
    )
    .addOption(
      new Option("--attempts <number>", "how often elements are tried before their failure fails the run").default(4).argParser(count),
    )
    .addOption(
      new Option("--experiments <names>", 'Beam\'s experiments, with commas; "drain" starts with all unbounded sources drained')
        .default([])
        .argParser((names) => names.split(",")),
    )
    .addOption(new Option("--checkpoint-dir <folder>", "take checkpoints there, and go on from the last one if there is any"))
    .addOption(
      new Option("--checkpoint-interval <time>", "time between two checkpoints, such as 500ms, 10s or 2m (default: 10s)").argParser(
        parseDuration,
      ),
    )
    .addOption(new Option("--metrics", "print figures of components and transforms at the end"));
  keepObjectsYoung();
  const signals = new Signals();
  try {
    const program = await openProgram(command, argv);
    try {
      const { workers, stallWarning, memory, spillDir, metrics, attempts, experiments, checkpointDir, checkpointInterval } =
        program.settings as unknown as Settings;
      if (checkpointInterval !== undefined && checkpointDir === undefined)
        command.error("error: --checkpoint-interval needs --checkpoint-dir, the folder that checkpoints are taken in");
      const { module, exportName } = program;
      const runner = local({
        workers,
        module,
        exportName,
        memoryBytes: memory,
        spillFolder: spillDir,
        checkpointDir,
        checkpointIntervalMs: checkpointInterval,
        startsDrained: experiments.includes("drain"),
        runtime: { stallWarningMs: stallWarning * 1000, bundleAttempts: attempts },
      });
      // With workers of their own, this process stays free.
      const watch = workers === 1 ? new BusyWatch(signals, stallWarning * 1000) : undefined;
      try {
        return await follow(await runner.start(program.definition, program.options), signals, metrics === true, checkpointDir);
      } finally {
        await watch?.stop();
      }
    } finally {
      await program.dispose();
    }
  } finally {
    signals.release();
  }
}

function seconds(text: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("expected a number above 0");
}

function count(text: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("expected a whole number above 0");
}

async function follow(run: Run, signals: Signals, withTable: boolean, checkpointDir?: string): Promise<number> {
  // An error in a callback that user code left behind, e.g. of a timer: no call fails by it, so the run has to.
  let stray: { readonly error: unknown } | undefined;
  const failStray = (error: unknown): void => {
    stray ??= { error };
    void run.cancel();
  };
  process.on("uncaughtException", failStray);
  const progress = await reportProgress(run, process.stderr);
  const drain = (): void => {
    progress.say("draining: sources are read no more, what was read is processed to its end; one more signal cancels");
    void run.drain();
  };
  const asked = { drain: run.isUnbounded ? drain : undefined, cancel: () => void run.cancel() };
  signals.tell(asked);
  const endControl =
    checkpointDir === undefined ? undefined : await controlRun(checkpointDir, { drain: asked.drain, state: () => run.state });
  try {
    const metrics: RunMetrics = await run.result();
    progress.stop();
    process.stderr.write(
      `${summary(run.state === "DRAINED" ? "drained" : "done", metrics)}\n${withTable ? componentTable(metrics) : ""}${metricsTable(metrics.user)}`,
    );
    return ExitCode.DONE;
  } catch (error) {
    progress.stop();
    if (error instanceof CancelledError && stray === undefined) {
      process.stderr.write("cancelled\n");
      return signals.exitCode;
    }
    process.stderr.write(`${describeError(error instanceof CancelledError ? stray?.error : error)}\n`);
    return ExitCode.FAILED;
  } finally {
    await endControl?.();
    process.off("uncaughtException", failStray);
  }
}
