// The built `beamstorm job-server` as a process of its own.
import { spawn, type ChildProcess } from "node:child_process";
import { root } from "./run-cli.js";
import { fileURLToPath } from "node:url";

const command = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export class JobServerProcess {
  private constructor(
    /** `host:port`. */
    readonly url: string,
    private readonly child: ChildProcess,
    private readonly exited: Promise<number | null>,
  ) {}

  static start(args: readonly string[] = ["--port", "0"]): Promise<JobServerProcess> {
    const child = spawn(process.execPath, [command, "job-server", ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
    let output = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
    return new Promise((resolve, reject) => {
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        const url = /job server at (\S+)/.exec(output)?.[1];
        if (url !== undefined) resolve(new JobServerProcess(url, child, exited));
      });
      void exited.then((code) => reject(new Error(`the job server has ended with exit code ${code}: ${output}`)));
    });
  }

  get port(): string {
    return this.url.split(":").at(-1)!;
  }

  /** As a crash of the machine would. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }

  /** Ctrl-C; the exit code. */
  stop(): Promise<number | null> {
    this.child.kill("SIGINT");
    return this.exited;
  }
}
