// How a run on this machine is reached by other commands: a local socket, found by the folder of its checkpoints.
//
//   "drain\n" ─►
//             ◄─ "draining\n"              or "ends by itself\n"
//             ◄─ the run's last state, and the end of the connection
import { createHash } from "node:crypto";
import { chmod, mkdir, realpath, rm } from "node:fs/promises";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** What can be asked of a run. */
export interface ControlledRun {
  /** Undefined for a run that comes to its end by itself. */
  readonly drain: (() => void) | undefined;
  /** Its state when it is over. */
  state(): string;
}

/** A command that is longer than this is none. */
const LONGEST = 64;

/** Listens for other commands of this user; resolves with what ends that. Where no socket can be had nobody reaches the run, and no harm is done. */
export async function controlRun(checkpointDir: string, run: ControlledRun): Promise<() => Promise<void>> {
  await mkdir(checkpointDir, { recursive: true }).catch(() => {}); // the run itself says what is wrong with it
  const path = await socketOf(checkpointDir).catch(() => undefined);
  if (path === undefined) return () => Promise.resolve();
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client);
    client.on("close", () => clients.delete(client)).on("error", () => {});
    let asked = "";
    client.on("data", (bytes: Buffer) => {
      asked += bytes.toString("latin1");
      if (asked.length > LONGEST) client.destroy();
      else if (asked === "drain\n") {
        client.write(run.drain === undefined ? "ends by itself\n" : "draining\n");
        run.drain?.();
      }
    });
  });
  await rm(path, { force: true }); // of a run that was killed
  const listening = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(path, () => resolve(true));
  });
  if (listening) await chmod(path, 0o600);
  return async () => {
    for (const client of clients) client.end(`${run.state()}\n`);
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
}

/** Asks the run that takes checkpoints in the folder to drain, and gives what it says, line by line. @throws Error if there is none */
export async function* askToDrain(checkpointDir: string): AsyncIterableIterator<string> {
  const client = createConnection(await socketOf(checkpointDir));
  await new Promise<void>((resolve, reject) => {
    client.once("connect", resolve);
    client.once("error", reject);
  });
  client.write("drain\n");
  yield* createInterface({ input: client });
}

async function socketOf(checkpointDir: string): Promise<string> {
  const name = createHash("sha256")
    .update(await realpath(checkpointDir))
    .digest("hex")
    .slice(0, 24);
  return process.platform === "win32" ? `\\\\.\\pipe\\beamstorm-${name}` : join(tmpdir(), `beamstorm-${name}.sock`);
}
