// Runs the built `beamstorm` command as its users do: as a process of its own.
import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));
export const command = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What is meant for people: standard error without its JSON log lines. */
  readonly message: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly nodeOptions?: readonly string[];
  /** Variables of the environment, besides those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called whenever there is more of standard error, with all of it so far. */
  readonly onStderr?: (stderr: string, child: ChildProcess) => void;
  /** The same for standard output. */
  readonly onStdout?: (stdout: string, child: ChildProcess) => void;
}

export function beamstorm(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, [...(options.nodeOptions ?? []), command, ...args], {
    cwd: options.cwd ?? root,
    env: { ...env, ...options.env },
    timeout: 50_000, // a command that hangs fails its test, and does not outlive it
    killSignal: "SIGKILL",
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    options.onStdout?.(stdout, child);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    options.onStderr?.(stderr, child);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      const message = stderr
        .split("\n")
        .filter((line) => !line.startsWith('{"level":'))
        .join("\n");
      resolve({ code, stdout, stderr, message });
    });
  });
}
