// What the runner wants of Docker: its command, as it is found on the PATH.
import { execFile } from "node:child_process";

export const dockerCommand = "docker";

/** How long an engine may take to say that it is there. */
const ANSWER_WITHIN_MS = 5000;

/** Why no container can be started; undefined if one can. */
export function dockerProblem(): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(dockerCommand, ["version", "--format", "{{.Server.Version}}"], { timeout: ANSWER_WITHIN_MS }, (error, _stdout, stderr) => {
      if (error === null) return resolve(undefined);
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return resolve(`there is no command "${dockerCommand}"`);
      resolve(stderr.trim().split("\n").at(-1)!.slice(0, 300) || "it has not answered in time");
    });
  });
}

/** Containers share the network of a Linux machine; elsewhere they have a name for it. */
export function reachableFromContainer(url: string, platform: NodeJS.Platform = process.platform): string {
  return platform === "linux" ? url : url.replace(/^(127\.0\.0\.1|localhost)(?=:)/, "host.docker.internal");
}
