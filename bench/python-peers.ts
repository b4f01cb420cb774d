// Job servers that run the same pipelines of Beam's Python SDK: ours and Beam's own.
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { createConnection, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Side, Work } from "./work.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** How long a server may take until it listens, in milliseconds. */
const START_WITHIN_MS = 60_000;

export interface PythonPeer {
  readonly name: string;
  /** What has to be installed: the name of an environment variable that says where. */
  readonly needs?: string;
  /** A job server at this port. */
  start(port: number): ChildProcess;
}

const quiet = { stdio: "ignore" } as const;
const python = (): string => process.env["BEAMSTORM_PEER_PYTHON"] ?? "python3";

export const beamstorm: PythonPeer = {
  name: "beamstorm",
  start: (port) => spawn(process.execPath, [join(root, "dist/cli/main.js"), "job-server", "--port", String(port)], quiet),
};

export const prism: PythonPeer = {
  name: "Prism",
  needs: "BEAMSTORM_PEER_PRISM",
  start: (port) => spawn(process.env["BEAMSTORM_PEER_PRISM"]!, ["-job_port", String(port), "-serve_http=false"], quiet),
};

/** The one that comes with the SDK. */
export const beamPython: PythonPeer = {
  name: "Beam's Python server",
  start: (port) => spawn(python(), ["-m", "apache_beam.runners.portability.local_job_service_main", "--job_port", String(port)], quiet),
};

export const flink: PythonPeer = {
  name: "Flink's job server",
  needs: "BEAMSTORM_PEER_FLINK",
  start: (port) => {
    const opens = ["lang", "util", "nio"].map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`);
    const ports = [`--job-port=${port}`, "--artifact-port=0", "--expansion-port=0"];
    const driver = "org.apache.beam.runners.flink.FlinkJobServerDriver";
    const classes = join(process.env["BEAMSTORM_PEER_FLINK"]!, "*");
    return spawn("java", ["-Xmx3g", "-cp", classes, ...opens, driver, "--job-host=localhost", ...ports, "--flink-master=[local]"], quiet);
  },
};

export const isInstalled = ({ needs }: PythonPeer): boolean => needs === undefined || process.env[needs] !== undefined;

/** Does something with the server, and ends it. */
export async function withServer<T>(peer: PythonPeer, use: (endpoint: string) => Promise<T>): Promise<T> {
  if (!isInstalled(peer)) throw new Error(`${peer.name} is not installed: bench/README.md says where it comes from`);
  const port = await freePort();
  const server = peer.start(port);
  const ended = new Promise((resolve) => server.once("exit", resolve).once("error", resolve));
  try {
    await listens(port, server);
    return await use(`localhost:${port}`);
  } finally {
    server.kill();
    await ended;
  }
}

/** One of the pipelines in bench/python/works.py on each of the servers. @param texts files that it reads, for the size and the warm-up */
export function pythonWork(name: string, work: Omit<Work, "sides" | "warmUpSize" | "target">, texts: (size: number) => string[]): Work {
  let seconds = 0;
  const side = (peer: PythonPeer): Side => ({
    name: peer.name,
    isThere: () => isInstalled(peer),
    seconds: () => seconds,
    run: (size) =>
      withServer(peer, async (endpoint) => {
        const args = [join(root, "bench/python/works.py"), endpoint, name, String(size), ...texts(size)];
        const { stdout } = await promisify(execFile)(python(), args, { maxBuffer: 64 << 20 });
        seconds = Number(stdout.trim().split("\n").at(-1));
      }),
  });
  return { ...work, target: "no slower than any of the others", warmUpSize: 0, sides: [beamstorm, prism, beamPython, flink].map(side) };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

async function listens(port: number, server: ChildProcess): Promise<void> {
  const until = performance.now() + START_WITHIN_MS;
  while (server.exitCode === null && performance.now() < until) {
    const connected = await new Promise<boolean>((resolve) => {
      const socket = createConnection(port, "localhost", () => {
        socket.destroy();
        resolve(true);
      }).once("error", () => resolve(false));
    });
    if (connected) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the job server does not listen on port ${port}`);
}
