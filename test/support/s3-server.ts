// An S3 server of the tests' own: the program that `npm run test:interop` has built, over a folder.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class S3Server {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    /** What the AWS SDK needs to find it. */
    readonly environment: Readonly<Record<string, string>>,
  ) {}

  static async start(program: string): Promise<S3Server> {
    const folder = await mkdtemp(join(tmpdir(), "beamstorm-s3-"));
    for (const name of ["objects", "metadata"]) await mkdir(join(folder, name));
    const address = `127.0.0.1:${await freePort()}`;
    const args = [
      "--quiet",
      "--port",
      address,
      "--health",
      "/health",
      "posix",
      "--sidecar",
      join(folder, "metadata"),
      join(folder, "objects"),
    ];
    const child = spawn(program, args, {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ROOT_ACCESS_KEY: "test-key", ROOT_SECRET_KEY: "test-secret" },
    });
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    while (!(await answers(`http://${address}/health`)))
      if (child.exitCode !== null) throw new Error(`the S3 server has ended with ${child.exitCode}: ${errors}`);
    return new S3Server(child, folder, {
      AWS_ENDPOINT_URL_S3: `http://${address}`,
      AWS_ACCESS_KEY_ID: "test-key",
      AWS_SECRET_ACCESS_KEY: "test-secret",
      AWS_REGION: "us-east-1",
    });
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill();
    await ended;
    await rm(this.folder, { recursive: true });
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 20)); // nobody tells when a server begins to listen
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
