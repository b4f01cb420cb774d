// A PostgreSQL server of the tests' own: the programs that `npm run test:interop` has unpacked, over a folder.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { chown, cp, mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";

export class PostgresServer {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    /** With trust: there is no password. */
    readonly url: string,
  ) {}

  /** @param home the folder with the programs */
  static async start(home: string): Promise<PostgresServer> {
    const folder = await mkdtemp(join(tmpdir(), "beamstorm-postgres-"));
    // The server does not run as root: then as nobody, from a folder that nobody may enter.
    const isRoot = process.getuid?.() === 0;
    const as = isRoot ? ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] : ["env"];
    let programs = home;
    if (isRoot) {
      programs = join(folder, "programs");
      await cp(home, programs, { recursive: true, verbatimSymlinks: true });
      const idOf = (option: string, name: string): number => Number(execFileSync("id", [option, name], { encoding: "utf8" }));
      await chown(folder, idOf("-u", "nobody"), idOf("-g", "nobody"));
    }
    const libraries = ["usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "lib/x86_64-linux-gnu"].map((each) => join(programs, each));
    const env = { ...process.env, LC_ALL: "C.UTF-8", LD_LIBRARY_PATH: libraries.filter(existsSync).join(":") };
    const releases = join(programs, "usr/lib/postgresql");
    const bin = join(releases, readdirSync(releases)[0], "bin");
    const data = join(folder, "data");
    const [program, ...before] = as;
    const initdb = [join(bin, "initdb"), "-D", data, "-U", "postgres", "--auth=trust", "--no-sync"];
    execFileSync(program, [...before, ...initdb], { env, stdio: "pipe", cwd: folder });
    const port = await freePort();
    const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"].flatMap((each) => ["-c", each]);
    const child = spawn(program, [...before, join(bin, "postgres"), "-D", data, "-p", String(port), ...settings], {
      env,
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
    while (!(await answers(url))) if (child.exitCode !== null) throw new Error(`PostgreSQL has ended with ${child.exitCode}: ${errors}`);
    return new PostgresServer(child, folder, url);
  }

  /** The rows that a statement gives. */
  async query(text: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client(this.url);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGINT"); // sessions that are open end, too
    await ended;
    await rm(this.folder, { recursive: true });
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client(url);
  client.on("error", () => {});
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 50)); // nobody tells when a server begins to listen
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
