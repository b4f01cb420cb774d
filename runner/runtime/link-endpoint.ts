// Where a worker can be reached by the other workers of its machine: a Unix socket in a directory only this user can enter,
// or a port on the loopback interface where there are no Unix sockets.
import { rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeProcessFolder } from "../store/index.js";
import { accept, dial, type Hello } from "./greeting.js";
import type { Link } from "./link.js";

/** `unix:/path` or `tcp:port`. */
export type LinkAddress = string;

export class LinkEndpoint {
  private constructor(
    private readonly server: Server,
    readonly address: LinkAddress,
    private readonly directory: string | undefined,
  ) {}

  /** Listens; strangers are turned away, each worker of the job is announced once it has greeted. */
  static async open(self: Hello, onLink: (worker: number, link: Link) => void): Promise<LinkEndpoint> {
    const server = createServer((socket) => {
      accept(socket, self).then(
        ({ worker, link }) => onLink(worker, link),
        () => {}, // a stranger, or a connection that broke: whoever dialled knows
      );
    });
    const directory = process.platform === "win32" ? undefined : makeProcessFolder(tmpdir(), "link");
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      if (directory === undefined) server.listen(0, "127.0.0.1", resolve);
      else server.listen(join(directory, "link"), resolve);
    });
    const bound = server.address();
    const address = directory === undefined ? `tcp:${(bound as { port: number }).port}` : `unix:${join(directory, "link")}`;
    return new LinkEndpoint(server, address, directory);
  }

  async close(): Promise<void> {
    this.server.close();
    if (this.directory !== undefined) await rm(this.directory, { recursive: true, force: true });
  }
}

/** Connects to another worker. */
export async function dialWorker(address: LinkAddress, self: Hello, worker: number): Promise<Link> {
  const socket = await new Promise<Socket>((resolve, reject) => {
    const target = address.startsWith("unix:") ? connect(address.slice(5)) : connect(Number(address.slice(4)), "127.0.0.1");
    target.once("connect", () => {
      target.off("error", reject);
      resolve(target);
    });
    target.once("error", reject);
  });
  return await dial(socket, self, worker);
}
