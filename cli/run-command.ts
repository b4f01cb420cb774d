import { Command } from "commander";
import { local } from "../local/index.js";
import { CancelledError, PipelineError } from "../portability/stage-host/index.js";
import type { Run, RunMetrics } from "../sdk/index.js";
import { ExitCode } from "./exit-codes.js";
import { openProgram } from "./open-program.js";
import { describeError } from "./print-error.js";
import { reportProgress, summary } from "./progress.js";

/** `beamstorm run FILE`: runs a pipeline on this machine until it is done or the user stops it. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  const command = new Command("run")
    .usage("FILE [options]")
    .description("run the pipeline that FILE exports, on this machine")
    .option("--workers <count>", "number of worker processes", "1");
  const program = await openProgram(command, argv);
  try {
    const runner = local({ workers: workersOf(program.settings.workers), module: program.module, exportName: program.exportName });
    const run = await runner.start(program.definition, program.options);
    return await follow(run);
  } finally {
    await program.dispose();
  }
}

function workersOf(text: string | boolean | undefined): number {
  const workers = Number(text);
  if (!Number.isInteger(workers) || workers < 1 || workers > 256)
    throw new PipelineError("bad_option", `option --workers: expected a whole number from 1 to 256, got "${String(text)}"`);
  return workers;
}

async function follow(run: Run): Promise<number> {
  let signal: NodeJS.Signals | undefined;
  const cancel = (received: NodeJS.Signals): void => {
    if (signal !== undefined) process.exit(received === "SIGINT" ? ExitCode.CANCELLED : ExitCode.TERMINATED); // asked twice
    signal = received;
    void run.cancel();
  };
  process.on("SIGINT", cancel).on("SIGTERM", cancel);
  const progress = await reportProgress(run);
  try {
    const metrics: RunMetrics = await run.result();
    progress.stop();
    process.stderr.write(`${summary(metrics)}\n`);
    return ExitCode.DONE;
  } catch (error) {
    progress.stop();
    if (error instanceof CancelledError) {
      process.stderr.write("cancelled\n");
      return signal === "SIGTERM" ? ExitCode.TERMINATED : ExitCode.CANCELLED;
    }
    process.stderr.write(`${describeError(error)}\n`);
    return ExitCode.FAILED;
  } finally {
    process.off("SIGINT", cancel).off("SIGTERM", cancel);
  }
}
