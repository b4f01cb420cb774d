import { Command } from "commander";
import { PipelineError } from "../portability/stage-host/index.js";
import { ExitCode } from "./exit-codes.js";
import { oneLine } from "./one-line.js";
import { askToDrain } from "./run-control.js";

/** `beamstorm drain`: has a run of this machine end with complete output, and waits for that. */
export async function drainCommand(argv: readonly string[]): Promise<number> {
  const command = new Command("drain")
    .description(
      "have a run of this machine end: its sources are read no more, what was read is processed, windows close; waits until it is over",
    )
    .requiredOption("--checkpoint-dir <folder>", "the folder that the run was given for its checkpoints")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`${oneLine(text)}; see beamstorm drain --help\n`) });
  command.parse([...argv], { from: "user" });
  const { checkpointDir } = command.opts<{ checkpointDir: string }>();
  let last = "";
  try {
    for await (const line of askToDrain(checkpointDir)) process.stderr.write(`${(last = line)}\n`);
  } catch (cause) {
    throw new PipelineError("no_run", `no run takes checkpoints in ${checkpointDir}: nothing is there to drain`, { cause });
  }
  return last === "DRAINED" || last === "DONE" ? ExitCode.DONE : ExitCode.FAILED;
}
