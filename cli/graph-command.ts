import { Command, Option } from "commander";
import { describeTopology } from "../local/index.js";
import { ExitCode } from "./exit-codes.js";
import { openProgram } from "./open-program.js";

/** `beamstorm graph FILE`: prints the topology that a run would have. */
export async function graphCommand(argv: readonly string[]): Promise<number> {
  const command = new Command("graph")
    .usage("FILE [options]")
    .description("print a pipeline's topology")
    .addOption(new Option("--format <format>", "form of the output").choices(["text", "mermaid", "dot"]).default("text"))
    .option("--workers <count>", "number of worker processes", "1");
  const program = await openProgram(command, argv);
  try {
    const format = program.settings.format as "text" | "mermaid" | "dot";
    process.stdout.write(describeTopology(program.definition, program.options, { workers: Number(program.settings.workers) }, format) + "\n");
    return ExitCode.DONE;
  } finally {
    await program.dispose();
  }
}
