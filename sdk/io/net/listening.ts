// What all sources that listen have in common: where, who may come, and how they start and end.
import { createHash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import { PipelineError } from "../../../portability/stage-host/index.js";

/** Where a source listens, and for whom. */
export interface ListenOptions {
  /** 0: any that is free, see {@link ListenOptions.onListening}. */
  readonly port: number;
  /** Address of the interface to listen at; default `127.0.0.1`, which only this machine reaches. */
  readonly host?: string;
  /** A secret that clients have to show; needed where others than this machine can reach the source. */
  readonly token?: string;
  /** Most connections at a time; what comes beyond is closed at once. Default 1000. */
  readonly maxConnections?: number;
  /** Called with the port once the source listens, before the run starts. */
  readonly onListening?: (port: number) => void;
}

export const LOOPBACK = "127.0.0.1";
export const DEFAULT_CONNECTIONS = 1000;

/** @throws RangeError for a port that is none, PipelineError `token_required` for a source that strangers could write to */
export function checkListen(what: string, { port, host = LOOPBACK, token }: ListenOptions): void {
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535))
    throw new RangeError(`port must be a whole number from 0 to 65535, not ${port}`);
  if (token === "") throw new RangeError("token must not be empty");
  if (token === undefined && !isLoopback(host))
    throw new PipelineError(
      "token_required",
      `${what} would listen at ${host}, where others than this machine can reach it: give it a token that its clients have to show, or leave out the host`,
    );
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Whether a client knows the secret; takes the same time however much of it is right. */
export function isToken(shown: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(shown), digest(token));
}

/** Resolves when the server listens; from then on its failures are told to `fail`. */
export async function listen(server: Server, options: ListenOptions, fail: (error: unknown) => void): Promise<void> {
  server.maxConnections = options.maxConnections ?? DEFAULT_CONNECTIONS;
  server.listen(options.port, options.host ?? LOOPBACK);
  await once(server, "listening");
  server.on("error", fail);
  try {
    options.onListening?.((server.address() as AddressInfo).port);
  } catch (error) {
    server.close();
    throw error;
  }
}

/** Stops listening; resolves when the last connection is closed, which somebody else has to see to. */
export function stopListening(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
