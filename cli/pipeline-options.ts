import { Command, Option as Flag } from "commander";
import type { PipelineDefinition } from "../sdk/index.js";

/** Adds a pipeline's declared options to a command, so that `--help` and errors know them. */
export function addPipelineOptions(command: Command, definition: PipelineDefinition): void {
  for (const [name, declared] of Object.entries(definition.options)) {
    const placeholder = declared.type === "boolean" ? "[true|false]" : `<${declared.type}>`;
    const flag = new Flag(`--${kebab(name)} ${placeholder}`, declared.help);
    const fallback = declared.default;
    if (fallback !== undefined) flag.default(undefined, String(fallback));
    else flag.description = `${declared.help} (required)`.trim();
    command.addOption(flag);
  }
}

/** The values given for a pipeline's options, by their declared names. */
export function givenOptions(command: Command, definition: PipelineDefinition): Record<string, unknown> {
  const parsed = command.opts<Record<string, unknown>>();
  const given: Record<string, unknown> = {};
  for (const name of Object.keys(definition.options)) {
    const value = parsed[camel(kebab(name))];
    if (value !== undefined) given[name] = value;
  }
  return given;
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const camel = (name: string): string => name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
