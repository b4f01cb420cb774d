import { InvalidArgumentError, Option as Flag, type Command } from "commander";
import { PipelineError } from "../portability/stage-host/index.js";
import type { Option, PipelineDefinition } from "../sdk/index.js";

/**
 * Adds a pipeline's declared options to a command, so that `--help` and errors know them.
 *
 * @throws PipelineError when the command has an option of that name already
 */
export function addPipelineOptions(command: Command, definition: PipelineDefinition): void {
  const taken = new Map([
    ["--help", "the command's own"],
    ...command.options.map(({ long }) => [long ?? "", "the command's own"] as const),
  ]);
  for (const [name, declared] of Object.entries(definition.options)) {
    const long = flagOf(name);
    const owner = taken.get(long);
    if (owner !== undefined)
      throw new PipelineError("bad_option", `the pipeline's option "${name}" would be ${long}, as is ${owner}; rename it`);
    taken.set(long, `its option "${name}"`);
    const placeholder = declared.type === "boolean" ? "[true|false]" : `<${declared.type}>`;
    const flag = new Flag(`${long} ${placeholder}`, describe(declared)).argParser((text) => parse(declared, text));
    command.addOption(flag);
  }
}

/**
 * The values given for a pipeline's options, by their declared names.
 *
 * @throws PipelineError that names all options that are missing
 */
export function givenOptions(command: Command, definition: PipelineDefinition): Record<string, unknown> {
  const parsed = command.opts<Record<string, unknown>>();
  const given: Record<string, unknown> = {};
  const missing: string[] = [];
  for (const [name, declared] of Object.entries(definition.options)) {
    const value = parsed[new Flag(flagOf(name)).attributeName()];
    if (value !== undefined) given[name] = value;
    else if (declared.default === undefined) missing.push(`${flagOf(name)} <${declared.type}>`);
  }
  if (missing.length === 0) return given;
  throw new PipelineError("missing_option", `${missing.length === 1 ? "option" : "options"} ${missing.join(", ")} must be given`);
}

function parse(declared: Option<unknown>, text: string): unknown {
  try {
    return declared.parse(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function describe({ help, default: fallback }: Option<unknown>): string {
  return `${help} (${fallback === undefined ? "required" : `default: ${JSON.stringify(fallback)}`})`.trim();
}

/** `maxAge` as `--max-age`. */
const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
