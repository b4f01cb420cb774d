import { Command } from "commander";
import { bundleProgram } from "../local/bundle-program.js";
import { findDefinition } from "../local/load-program.js";
import { PipelineError } from "../portability/stage-host/index.js";
import type { PipelineDefinition } from "../sdk/index.js";
import { addPipelineOptions, givenOptions } from "./pipeline-options.js";

/** A program named on the command line, with everything that was said about it. */
export interface OpenedProgram {
  readonly definition: PipelineDefinition;
  readonly exportName: string;
  readonly module: string;
  /** Values of the pipeline's own options. */
  readonly options: Record<string, unknown>;
  /** Values of the command's options. */
  readonly settings: Record<string, string | boolean | undefined>;
  dispose(): Promise<void>;
}

/**
 * Loads FILE, declares its options on the command and reads the arguments. Undefined when only help was asked for.
 *
 * @throws CommanderError for arguments that are wrong, PipelineError for a file that is
 */
export async function openProgram(command: Command, argv: readonly string[]): Promise<OpenedProgram> {
  command
    .argument("<file>", "module that exports a pipeline")
    .option("--pipeline <name>", "which export is meant, if there are several")
    .exitOverride()
    .allowExcessArguments(false)
    .showHelpAfterError(`(see beamstorm ${command.name()} FILE --help)`);
  const file = argv[0];
  if (file === undefined || file.startsWith("-")) {
    command.parse([...argv], { from: "user" }); // prints help, or says that the file is missing
    throw new PipelineError("no_file", `name the file first: beamstorm ${command.name()} FILE …`);
  }
  const program = await bundleProgram(file);
  try {
    const wanted = argv.indexOf("--pipeline");
    const { name, definition } = await findDefinition(program.module, wanted > 0 ? argv[wanted + 1] : undefined);
    addPipelineOptions(command, definition);
    command.parse([...argv], { from: "user" });
    return {
      definition,
      exportName: name,
      module: program.module,
      options: givenOptions(command, definition),
      settings: command.opts<Record<string, string | boolean | undefined>>(),
      dispose: () => program.dispose(),
    };
  } catch (error) {
    await program.dispose();
    throw error;
  }
}
