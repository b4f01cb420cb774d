// A streaming pipeline of Beam's Python SDK that outlives the job server, and the worker that it runs on.
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { JobServerProcess } from "../support/job-server-process.js";
import { root } from "../support/run-cli.js";

const pipeline = join(root, "test/interop/pipelines/counted_stream.py");
const NUMBERS = 9_000;
const RATE = 3_000;

/** The count of each window and key; the same line may be there twice, but not with another count. */
function countsOf(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) {
    const [start, key, count] = line.split(" ").map(Number);
    const id = `${start} ${key}`;
    assert.equal(counts.get(id) ?? count, count, `window and key ${id}`);
    counts.set(id, count);
  }
  return counts;
}

const expected = (): Map<string, number> => {
  const counts = new Map<string, number>();
  for (let n = 0; n < NUMBERS; n++) {
    const id = `${Math.floor(n / 1000)} ${n % 3}`;
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
};

describe("A stream of Beam's Python SDK with checkpoints", function () {
  this.timeout(180_000);
  let folder: string;
  let output: string;
  const servers: JobServerProcess[] = [];
  const clients: ChildProcess[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "beamstorm-interop-"));
    output = join(folder, "counts");
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.kill("SIGKILL");
    await Promise.all(servers.splice(0).map((server) => server.kill()));
    await rm(folder, { recursive: true, force: true });
  });

  const startServer = async (): Promise<JobServerProcess> => {
    const checkpoints = ["--checkpoint-dir", join(folder, "checkpoints"), "--checkpoint-interval", "300ms"];
    const server = await JobServerProcess.start(["--port", "0", ...checkpoints]);
    servers.push(server);
    return server;
  };

  const python = (...args: string[]): { child: ChildProcess; ended: Promise<{ code: number | null; text: string }> } => {
    const executable = process.env["BEAMSTORM_PEER_PYTHON"];
    assert.ok(executable, "run this by npm run test:interop, which installs the SDK");
    const path = `${dirname(executable)}${delimiter}${process.env["PATH"]}`; // where the worker pool looks for Python
    const child = spawn(executable, args, { cwd: folder, env: { ...process.env, PATH: path } });
    clients.push(child);
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (more: string) => (text += more));
    return { child, ended: new Promise((resolve) => child.once("close", (code) => resolve({ code, text }))) };
  };

  const submit = (server: JobServerProcess, ...options: string[]) =>
    python(
      ...[pipeline, output, String(NUMBERS), String(RATE), "--streaming", "--runner=PortableRunner", `--job_endpoint=${server.url}`],
      ...options,
    );

  const lines = async (): Promise<string[]> => (await readFile(output, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");

  /** Resolves when so many windows are told. */
  const told = async (windows: number, ended: Promise<{ text: string }>): Promise<void> => {
    let isOver: string | undefined;
    void ended.then(({ text }) => (isOver = text));
    while (new Set((await lines()).map((line) => line.split(" ")[0])).size < windows) {
      assert.equal(isOver, undefined, "the job has ended too early");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  it("goes on after the job server was killed, and each window counts each element once", async () => {
    const options = ["--environment_type=LOOPBACK", "--checkpoint_name=counts"];
    const killed = await startServer();
    const first = submit(killed, ...options);
    await told(3, first.ended);
    await killed.kill();
    first.child.kill("SIGKILL");
    await first.ended;
    const before = (await lines()).length;
    const second = submit(await startServer(), ...options);
    const { code, text } = await second.ended;
    assert.equal(code, 0, text);
    assert.deepEqual(countsOf(await lines()), expected());
    assert.ok((await lines()).length < before + expected().size, "it has begun anew");
  });

  it("goes on with another worker when its own was killed", async () => {
    const server = await startServer();
    const port = await freePort();
    const pool = python("-m", "apache_beam.runners.worker.worker_pool_main", `--service_port=${port}`);
    await listening(port, pool);
    const job = submit(server, "--environment_type=EXTERNAL", `--environment_config=localhost:${port}`, "--checkpoint_name=workers");
    await told(3, job.ended);
    const [worker] = childrenOf(pool.child);
    process.kill(worker, "SIGKILL");
    const { code, text } = await job.ended;
    assert.equal(code, 0, text);
    assert.deepEqual(countsOf(await lines()), expected());
    assert.ok(!childrenOf(pool.child).includes(worker));
  });
});

/** A port that nobody listens at. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Resolves when somebody does, or the process that should has ended. */
async function listening(port: number, { child, ended }: { child: ChildProcess; ended: Promise<{ text: string }> }): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) assert.fail(`the worker pool has ended: ${(await ended).text}`);
    const socket = connect(port, "127.0.0.1");
    const isThere = await new Promise<boolean>((resolve) =>
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false)),
    );
    socket.destroy();
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function childrenOf({ pid }: ChildProcess): number[] {
  return spawnSync("pgrep", ["-P", String(pid)], { encoding: "utf8" })
    .stdout.split("\n")
    .filter(Boolean)
    .map(Number);
}
