import { Command, Option } from "commander";
import { describeTopology, topologyOf } from "../local/index.js";
import { ExitCode } from "./exit-codes.js";
import { openInBrowser } from "./open-in-browser.js";
import { openProgram, workersOption } from "./open-program.js";
import { topologyPage } from "./topology-page.js";

interface Settings {
  readonly format: "text" | "mermaid" | "dot" | "html";
  readonly workers: number;
  readonly open?: boolean;
}

/** `beamstorm graph FILE`: prints the topology that a run would have. */
export async function graphCommand(argv: readonly string[]): Promise<number> {
  const command = new Command("graph")
    .description("print a pipeline's topology")
    .addOption(new Option("--format <format>", "form of the output").choices(["text", "mermaid", "dot", "html"]).default("text"))
    .addOption(new Option("--open", "show it in a browser, as a page"))
    .addOption(workersOption());
  const program = await openProgram(command, argv);
  try {
    const { format, workers, open } = program.settings as unknown as Settings;
    const { definition, options } = program;
    if (open !== true && format !== "html") process.stdout.write(describeTopology(definition, options, { workers }, format) + "\n");
    else {
      const page = await topologyPage(topologyOf(definition, options, { workers }), argv[0]);
      process.stdout.write(open === true ? `${await openInBrowser(page, argv[0])}\n` : page);
    }
    return ExitCode.DONE;
  } finally {
    await program.dispose();
  }
}
