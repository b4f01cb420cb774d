// What the commands of this folder share: running a program, and knowing files by their stamps.
// Node's own modules alone: these commands run before anything is installed.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** Where what tests and benchmarks install from other registries is kept, for all checkouts. */
export const peersCache = process.env.BEAMSTORM_PEERS_CACHE || join(homedir(), ".cache", "beamstorm-peers");

/** The program of an installed package, as a path for node: no shell and no platform's `.cmd`. */
export const bin = {
  tsc: join(root, "node_modules/@typescript/native/bin/tsc"),
  mocha: join(root, "node_modules/mocha/bin/mocha.js"),
  prettier: join(root, "node_modules/prettier/bin/prettier.cjs"),
  oxlint: join(root, "node_modules/oxlint/bin/oxlint"),
  typedoc: join(root, "node_modules/typedoc/bin/typedoc"),
  publint: join(root, "node_modules/publint/src/cli.js"),
};

/** A failure that is the user's to read: its message is printed without a stack, and the command ends with 1. */
export class CommandFailure extends Error {}

/** Runs node with these arguments in the root. `quiet` collects what it prints instead of showing it. */
export function node(args, { quiet = false, env = process.env } = {}) {
  return runProgram(process.execPath, args, { quiet, env });
}

/** Runs a program in the root; resolves, whatever its exit code, to `{ code, output }`. */
export function runProgram(command, args, { quiet = false, env = process.env, shell = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, shell, stdio: quiet ? ["ignore", "pipe", "pipe"] : "inherit" });
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (text) => (output += text));
    child.stderr?.setEncoding("utf8").on("data", (text) => (output += text));
    child.on("error", (error) => resolve({ code: 1, output: `${output}${error.message}\n` }));
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

/** Every file below a folder of the root, as `/`-separated paths from the root, in order. */
export function filesUnder(folder) {
  const full = join(root, folder);
  if (!existsSync(full)) return [];
  return readdirSync(full, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .map((path) => path.slice(root.length).replaceAll("\\", "/"))
    .sort();
}

/** One line per file: path, size and time of change. Equal stamps mean that nothing has changed. */
export function stampOf(files) {
  return files
    .map((file) => {
      const { size, mtimeMs } = statSync(join(root, file));
      return `${file} ${size} ${mtimeMs}\n`;
    })
    .join("");
}

/** A file's text, or undefined where there is none. */
export function readIfThere(file) {
  const path = resolve(root, file);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

export const progress = (line) => console.log(`beamstorm: ${line}`);

export const seconds = (sinceMs) => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

/** True when a file is the program that node was started with, and not an import of another one. */
export const isMain = (meta) => process.argv[1] !== undefined && fileURLToPath(meta.url) === realpathSync(process.argv[1]);

/** Runs a command's body: its result is the exit code, and a CommandFailure is printed plainly. */
export async function main(body) {
  try {
    process.exitCode = await body();
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    console.error(`beamstorm: ${error.message}`);
    process.exitCode = 1;
  }
}
