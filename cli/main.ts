#!/usr/bin/env node
// The `beamstorm` command. Each subcommand is a file of its own; this one says which there are and ends the process.
import { Command, CommanderError } from "commander";
import { readFile } from "node:fs/promises";
import { ExitCode } from "./exit-codes.js";
import { oneLine } from "./one-line.js";
import { describeError } from "./print-error.js";

process.setSourceMapsEnabled(true);
Error.stackTraceLimit = 30; // deep enough to reach the author's line below a library's

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  switch (name) {
    case "run":
      return await (await import("./run-command.js")).runCommand(rest);
    case "drain":
      return await (await import("./drain-command.js")).drainCommand(rest);
    case "graph":
      return await (await import("./graph-command.js")).graphCommand(rest);
    case "init":
      return await (await import("./init-command.js")).initCommand(rest);
    case "job-server":
      return await (await import("./job-server-command.js")).jobServerCommand(rest);
    case "jobs":
      return await (await import("./jobs-command.js")).jobsCommand(rest);
    default:
      return await overview(argv);
  }
}

async function overview(argv: readonly string[]): Promise<number> {
  const manifest = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
  const command = new Command("beamstorm")
    .description("Stream and batch processing for TypeScript")
    .version(manifest.version)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`${oneLine(text)}; see beamstorm --help\n`) });
  command.command("init").argument("[FOLDER]").description("make a project: a pipeline, a test, and a set-up to debug them");
  command
    .command("run")
    .argument("<FILE>")
    .argument("[options...]")
    .description("run the pipeline that a module exports; beamstorm run FILE --help lists its options");
  command
    .command("drain")
    .argument("[options...]")
    .description("have a run end with complete output; beamstorm drain --help lists its options");
  command
    .command("graph")
    .argument("<FILE>")
    .argument("[options...]")
    .description("print a pipeline's topology as text, Mermaid, DOT or a page");
  command
    .command("job-server")
    .argument("[options...]")
    .description("run pipelines that Beam's SDKs submit; beamstorm job-server --help lists its options");
  command
    .command("jobs")
    .argument("<list|status|cancel|drain|metrics|logs|graph>")
    .argument("[options...]")
    .description("see and end the jobs of a job server; beamstorm jobs --help says how");
  command.parse([...argv], { from: "user" });
  return ExitCode.DONE;
}

async function exitCode(): Promise<number> {
  try {
    return await main(process.argv.slice(2));
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.DONE : ExitCode.USAGE;
    process.stderr.write(`${describeError(error)}\n`);
    return ExitCode.USAGE;
  }
}

/** Resolves when what was written to the stream is out. */
const flushed = (stream: NodeJS.WriteStream): Promise<void> => new Promise((resolve) => stream.write("", () => resolve()));

const code = await exitCode();
await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
process.exit(code); // even if user code left a timer or a connection open
