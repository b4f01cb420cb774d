import { createServer, type Server, type Socket } from "node:net";
import { utf8Coder } from "../../../portability/coders/index.js";
import type { PCollection } from "../../model/pcollection.js";
import type { Pipeline } from "../../model/pipeline.js";
import type { PTransform } from "../../model/ptransform.js";
import type { EmitFromReader, Reader, ReaderContext, ReadResult } from "../../model/source.js";
import { unboundedSource } from "../../transforms/unbounded-source.js";
import { ElementQueue } from "../element-queue.js";
import { LineSplitter, LongLineError } from "../line-splitter.js";
import { checkWhole, DEFAULT_LINE_BYTES, DEFAULT_QUEUE_BYTES, type StreamOptions } from "../source-options.js";
import { checkListen, DEFAULT_CONNECTIONS, isToken, listen, stopListening, type ListenOptions } from "./listening.js";

/** What {@link tcpLines} takes. */
export interface TcpLinesOptions extends ListenOptions, StreamOptions<string> {
  /** Longest line in bytes; the connection of a client that sends a longer one is closed. Default 1 MiB. */
  readonly maxLineBytes?: number;
}

/** How long a client may take to show the token, in milliseconds. */
const GREETING_MS = 10_000;
/** Longest first line of a client that has shown no token yet. */
const GREETING_BYTES = 4096;

/**
 * Lines that clients send to a TCP port of this process, without their line ends; the last line of a connection needs none. With a token, the first line of
 * each connection must be the token, which travels as it is. While the pipeline is busy clients have to wait. Lines that have arrived and are not read yet are lost when
 * the run ends.
 *
 * A line is read at most once: nobody asks a client to send it again, so that one that has arrived and is in no checkpoint is lost when the process dies, with
 * `--checkpoint-dir`, too.
 *
 * @throws RangeError, and PipelineError `token_required` where the host is reached by others and no token is given; (at run time) UserCodeError when the port
 * cannot be listened at
 * @example
 * ```ts
 * export default pipeline((p) => p.apply(net.tcpLines({ port: 9000 })).apply(map((line) => console.log(line))));
 * ```
 */
export function tcpLines(options: TcpLinesOptions): PTransform<Pipeline, PCollection<string>> {
  const { maxLineBytes = DEFAULT_LINE_BYTES, queueBytes = DEFAULT_QUEUE_BYTES, maxConnections = DEFAULT_CONNECTIONS, ...source } = options;
  checkListen("net.tcpLines", options);
  checkWhole({ maxLineBytes, queueBytes, maxConnections });
  const open = (context: ReaderContext): Promise<Reader<string>> => LineServer.open(options, { maxLineBytes, queueBytes }, context);
  return { ...unboundedSource<string>({ ...source, coder: utf8Coder, open }), defaultName: "net.tcpLines" };
}

interface Bounds {
  readonly maxLineBytes: number;
  readonly queueBytes: number;
}

/**
 * - S1. While the queue is full every socket is paused: what a client sends stays in the buffers of the systems between.
 * - S2. What a client does wrong costs it its connection, and nothing else.
 */
class LineServer implements Reader<string> {
  private readonly queue: ElementQueue<string>;
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;

  private constructor(
    private readonly token: string | undefined,
    private readonly bounds: Bounds,
    context: ReaderContext,
  ) {
    this.queue = new ElementQueue(context, bounds.queueBytes);
    this.queue.onRoom = () => this.sockets.forEach((socket) => socket.resume());
    this.server = createServer((socket) => this.accept(socket));
  }

  static async open(options: TcpLinesOptions, bounds: Bounds, context: ReaderContext): Promise<LineServer> {
    const server = new LineServer(options.token, bounds, context);
    await listen(server.server, options, (error) => context.fail(error));
    return server;
  }

  read(emit: EmitFromReader<string>): ReadResult {
    return this.queue.read(emit);
  }

  /** What has arrived is given still; the beginning of a line is not. */
  drain(): void {
    for (const socket of this.sockets) socket.destroy();
    this.queue.end();
  }

  async close(): Promise<void> {
    const stopped = stopListening(this.server);
    for (const socket of this.sockets) socket.destroy();
    await stopped;
  }

  private accept(socket: Socket): void {
    const { token, bounds, queue } = this;
    if (queue.hasEnded) return void socket.destroy();
    let isKnown = token === undefined;
    const lines = new LineSplitter(isKnown ? bounds.maxLineBytes : GREETING_BYTES);
    const greeting = isKnown ? undefined : setTimeout(() => socket.destroy(), GREETING_MS);
    const take = (line: string, bytes: number): void => {
      if (isKnown) return queue.add(line, bytes);
      if (!isToken(line, token!)) throw new StrangerError();
      isKnown = true;
      lines.maxLineBytes = bounds.maxLineBytes;
      clearTimeout(greeting);
    };
    const guarded = (work: () => void): void => {
      try {
        work();
      } catch (error) {
        if (!(error instanceof LongLineError || error instanceof StrangerError)) throw error;
        lines.reset();
        socket.destroy(); // S2
      }
    };
    this.sockets.add(socket);
    if (queue.isFull) socket.pause();
    socket.on("data", (chunk: Buffer) => {
      guarded(() => lines.push(chunk, take));
      if (queue.isFull) for (const each of this.sockets) each.pause(); // S1
    });
    socket.on("end", () => guarded(() => lines.end(take)));
    socket.on("error", () => {}); // the client is gone: `close` follows
    socket.on("close", () => {
      clearTimeout(greeting);
      this.sockets.delete(socket);
    });
  }
}

/** The client does not know the token. */
class StrangerError extends Error {}
