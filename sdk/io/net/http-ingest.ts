import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Coder } from "../../../portability/coders/index.js";
import type { PCollection } from "../../model/pcollection.js";
import type { Pipeline } from "../../model/pipeline.js";
import type { PTransform } from "../../model/ptransform.js";
import type { EmitFromReader, Reader, ReaderContext, ReadResult } from "../../model/source.js";
import { unboundedSource } from "../../transforms/unbounded-source.js";
import { ElementQueue } from "../element-queue.js";
import { checkWhole, DEFAULT_QUEUE_BYTES, type StreamOptions } from "../source-options.js";
import { elementsOf, formatOf } from "./http-body.js";
import { checkListen, DEFAULT_CONNECTIONS, isToken, listen, stopListening, type ListenOptions } from "./listening.js";
import { Refusal } from "./refusal.js";

/** What {@link httpIngest} takes. */
export interface HttpIngestOptions<T> extends ListenOptions, StreamOptions<T> {
  /** Path that is posted to; default `/`. */
  readonly path?: string;
  /** Largest body in bytes; default 1 MiB. */
  readonly maxBodyBytes?: number;
  /** Makes an element of what was sent, or throws: the client is answered 400 with the error's message. Default: takes it as it is. */
  readonly check?: (sent: unknown) => T;
  /** Default: any plain JavaScript value. */
  readonly coder?: Coder<T>;
}

/** How long a client may take to send a request, in milliseconds. */
const REQUEST_MS = 30_000;

/**
 * Elements that clients POST to an HTTP port of this process: a JSON value (`application/json`), a JSON value a line (`application/x-ndjson`), or a text
 * (`text/plain`). A body is accepted whole or not at all:
 *
 * - 202 when its elements wait for the pipeline. They are lost when the run ends before it has taken them, and with checkpoints, too, when the process dies
 *   before one of them holds them: an element is read at most once for each time that it was sent.
 * - 400 malformed, or refused by `check`; 413 too large; 415 of another type; 404 and 405 for another path or method.
 * - 401 without `Authorization: Bearer …` where there is a token; 403 for a page of a web browser where there is none.
 * - 503 with `Retry-After` while too much waits for the pipeline; without it when the run is drained.
 *
 * @throws RangeError, and PipelineError `token_required` where the host is reached by others and no token is given; (at run time) UserCodeError when the port
 * cannot be listened at
 * @example
 * ```ts
 * export default pipeline((p) => p.apply(net.httpIngest({ port: 8080, path: "/orders" })).apply(map((order) => console.log(order))));
 * ```
 */
export function httpIngest<T = unknown>(options: HttpIngestOptions<T>): PTransform<Pipeline, PCollection<T>> {
  const { path = "/", maxBodyBytes = 1 << 20, queueBytes = DEFAULT_QUEUE_BYTES, maxConnections = DEFAULT_CONNECTIONS, ...source } = options;
  checkListen("net.httpIngest", options);
  checkWhole({ maxBodyBytes, queueBytes, maxConnections });
  if (!path.startsWith("/")) throw new RangeError(`path must start with "/", not be "${path}"`);
  const check = options.check ?? ((sent: unknown) => sent as T);
  const open = (context: ReaderContext): Promise<Reader<T>> =>
    IngestServer.open(options, { path, maxBodyBytes, queueBytes, check }, context);
  return { ...unboundedSource<T>({ ...source, open }), defaultName: "net.httpIngest" };
}

interface Rules<T> {
  readonly path: string;
  readonly maxBodyBytes: number;
  readonly queueBytes: number;
  readonly check: (sent: unknown) => T;
}

/**
 * - H1. What waits is bounded by the queue and one body more than fills it; so is what is under way, by what its clients announce.
 */
class IngestServer<T> implements Reader<T> {
  private readonly queue: ElementQueue<T>;
  private readonly server: Server;
  /** Bytes of the bodies that are being received, at most (H1). */
  private underWay = 0;

  private constructor(
    private readonly token: string | undefined,
    private readonly rules: Rules<T>,
    context: ReaderContext,
  ) {
    this.queue = new ElementQueue(context, rules.queueBytes);
    this.server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) => {
      void this.answer(request, response);
    });
  }

  static async open<T>(options: ListenOptions, rules: Rules<T>, context: ReaderContext): Promise<IngestServer<T>> {
    const server = new IngestServer(options.token, rules, context);
    await listen(server.server, options, (error) => context.fail(error));
    return server;
  }

  read(emit: EmitFromReader<T>): ReadResult {
    return this.queue.read(emit);
  }

  /** What has been accepted is given still. */
  drain(): void {
    this.queue.end();
  }

  async close(): Promise<void> {
    const stopped = stopListening(this.server);
    this.server.closeAllConnections();
    await stopped;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const accepted = await this.take(request);
      send(response, 202, `{"accepted":${accepted}}\n`, { "content-type": "application/json" });
    } catch (error) {
      if (!(error instanceof Refusal)) return void request.destroy(); // the client is gone
      send(response, error.status, `${error.message}\n`, {
        "content-type": "text/plain; charset=utf-8",
        ...error.headers,
      });
    }
  }

  /** The number of elements in it. @throws Refusal */
  private async take(request: IncomingMessage): Promise<number> {
    const { rules, queue } = this;
    this.checkRequest(request);
    if (queue.hasEnded) throw ended();
    const format = formatOf(request.headers["content-type"]);
    const expected = Number(request.headers["content-length"] ?? rules.maxBodyBytes);
    if (expected > rules.maxBodyBytes) throw tooLarge(rules.maxBodyBytes);
    if (queue.isFull || this.underWay >= rules.queueBytes) throw new Refusal(503, "the pipeline is busy", { "retry-after": "1" });
    this.underWay += expected;
    try {
      const body = await bodyOf(request, rules.maxBodyBytes);
      const elements = elementsOf(body, format, rules.check);
      if (queue.hasEnded) throw ended(); // meanwhile
      for (const element of elements) queue.add(element, body.length / elements.length);
      return elements.length;
    } finally {
      this.underWay -= expected;
    }
  }

  private checkRequest({ method, url = "", headers }: IncomingMessage): void {
    if (url.split("?", 1)[0] !== this.rules.path) throw new Refusal(404, `elements are posted to ${this.rules.path}`);
    if (method !== "POST") throw new Refusal(405, "elements are sent by POST", { allow: "POST" });
    if (this.token !== undefined && !isToken(/^Bearer (.+)$/i.exec(headers.authorization ?? "")?.[1] ?? "", this.token))
      throw new Refusal(401, "the token is missing or wrong", { "www-authenticate": "Bearer" });
    // Any page could have its visitors' browsers post to their own machines.
    if (this.token === undefined && headers.origin !== undefined) throw new Refusal(403, "pages of a web browser need a token");
  }
}

async function bodyOf(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else reject(tooLarge(maxBytes)); // the rest is read and dropped: a client that is still sending hears no answer
    });
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("error", reject);
    request.on("close", () => reject(new Error("the client is gone")));
  });
}

function ended(): Refusal {
  return new Refusal(503, "the pipeline takes no more");
}

function tooLarge(maxBytes: number): Refusal {
  return new Refusal(413, `a body may have ${maxBytes} bytes`);
}

function send(response: ServerResponse, status: number, text: string, headers: Readonly<Record<string, string>>): void {
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(text) });
  response.end(text);
}
