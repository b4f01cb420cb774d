import { InvalidArgumentError, Option as Flag, type Command } from "commander";
import { bundleProgram } from "../local/bundle-program.js";
import { findDefinition } from "../local/load-program.js";
import { PipelineError } from "../portability/stage-host/index.js";
import type { PipelineDefinition } from "../sdk/index.js";
import { oneLine } from "./one-line.js";
import { addPipelineOptions, givenOptions } from "./pipeline-options.js";
import { authorLine } from "./print-error.js";

/** A program named on the command line, with everything that was said about it. */
export interface OpenedProgram {
  readonly definition: PipelineDefinition;
  readonly exportName: string;
  readonly module: string;
  /** Values of the pipeline's own options. */
  readonly options: Record<string, unknown>;
  /** Values of the command's options. */
  readonly settings: Record<string, unknown>;
  dispose(): Promise<void>;
}

/**
 * Loads FILE, declares its options on the command and reads the arguments.
 *
 * @throws CommanderError for arguments that are wrong or ask for help, PipelineError for a file that is wrong
 */
export async function openProgram(command: Command, argv: readonly string[]): Promise<OpenedProgram> {
  const see = `beamstorm ${command.name()} FILE --help`;
  command
    .usage("FILE [options]")
    .argument("<FILE>", "module that exports a pipeline; its options follow it")
    .option("--pipeline <name>", "which export is meant, if there are several")
    .exitOverride()
    .allowExcessArguments(false)
    .configureHelp({ commandUsage: () => `beamstorm ${command.name()} FILE [options]` })
    .configureOutput({ outputError: (text, write) => write(`${oneLine(text)}; see ${see}\n`) });
  const file = argv[0];
  if (file === undefined || file.startsWith("-")) {
    command.parse([...argv], { from: "user" }); // prints help, or says that the file is missing
    throw new PipelineError("no_file", `name the file first: beamstorm ${command.name()} FILE [options]`);
  }
  const program = await bundleProgram(file);
  try {
    const { name, definition } = await load(program.module, pipelineName(argv), file);
    addPipelineOptions(command, definition);
    command.parse([...argv], { from: "user" });
    return {
      definition,
      exportName: name,
      module: program.module,
      options: givenOptions(command, definition),
      settings: command.opts(),
      dispose: () => program.dispose(),
    };
  } catch (error) {
    await program.dispose();
    throw error;
  }
}

/** The option that all commands have which plan a pipeline. */
export function workersOption(): Flag {
  return new Flag("--workers <count>", "number of worker processes").default(1).argParser((text) => {
    const workers = Number(text);
    if (Number.isInteger(workers) && workers >= 1 && workers <= 256) return workers;
    throw new InvalidArgumentError("expected a whole number from 1 to 256");
  });
}

async function load(module: string, name: string | undefined, file: string): ReturnType<typeof findDefinition> {
  try {
    return await findDefinition(module, name, `"${file}"`);
  } catch (error) {
    if (error instanceof PipelineError) throw error;
    const line = authorLine(error);
    const message = error instanceof Error ? error.message : String(error);
    throw new PipelineError("program_fails", `"${file}" cannot be loaded: ${message}${line === undefined ? "" : ` (${line})`}`);
  }
}

/** Needed before the arguments can be parsed: which options there are depends on it. */
function pipelineName(argv: readonly string[]): string | undefined {
  const at = argv.findIndex((argument) => argument === "--pipeline" || argument.startsWith("--pipeline="));
  if (at < 0) return undefined;
  return argv[at] === "--pipeline" ? argv[at + 1] : argv[at].slice("--pipeline=".length);
}
