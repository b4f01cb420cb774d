import { Command, Option } from "commander";
import { describeTopology } from "../local/index.js";
import { ExitCode } from "./exit-codes.js";
import { openProgram, workersOption } from "./open-program.js";

/** `beamstorm graph FILE`: prints the topology that a run would have. */
export async function graphCommand(argv: readonly string[]): Promise<number> {
  const command = new Command("graph")
    .description("print a pipeline's topology")
    .addOption(new Option("--format <format>", "form of the output").choices(["text", "mermaid", "dot"]).default("text"))
    .addOption(workersOption());
  const program = await openProgram(command, argv);
  try {
    const { format, workers } = program.settings as { format: "text" | "mermaid" | "dot"; workers: number };
    process.stdout.write(describeTopology(program.definition, program.options, { workers }, format) + "\n");
    return ExitCode.DONE;
  } finally {
    await program.dispose();
  }
}
