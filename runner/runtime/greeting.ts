// How two workers of a job find out that they belong together, before any data flows:
//
//   1. The dialling worker connects and sends HELLO: job, generation, its index, the job's token.
//   2. The accepting worker checks all of it and answers with its own HELLO, or hangs up without a word.
//   3. The dialling worker checks the answer. Both have a Link.
//
// E1. The token is secret to the job: nobody learns it by connecting, since only the dialler speaks first.
// E2. A HELLO is small and must come within GREETING_MS: strangers cost neither memory nor patience.
// E3. An older generation is turned away (design D9: fenced off).
import { timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import { FrameDecoder, FrameType, frameBytes, FramingError, type Frame } from "./frame-decoder.js";
import { Link } from "./link.js";

export interface Hello {
  readonly job: string;
  /** Which life of the job's workers this is. */
  readonly generation: number;
  /** Index of the worker that speaks. */
  readonly worker: number;
  readonly token: string;
}

const GREETING_MS = 10_000;
const MAX_HELLO_BYTES = 4096;

/** Steps 1 and 3. */
export async function dial(socket: Socket, self: Hello, expectedWorker: number): Promise<Link> {
  socket.write(frameBytes(FrameType.HELLO, 0, Buffer.from(JSON.stringify(self))));
  const { link, hello } = await firstFrame(socket, self);
  if (hello.worker === expectedWorker) return link;
  link.close();
  throw new FramingError(`worker ${hello.worker} answered where worker ${expectedWorker} was expected`);
}

/** Step 2; resolves with the link and the index of the worker at its other end. */
export async function accept(socket: Socket, self: Hello): Promise<{ link: Link; worker: number }> {
  const { link, hello } = await firstFrame(socket, self);
  socket.write(frameBytes(FrameType.HELLO, 0, Buffer.from(JSON.stringify(self))));
  return { link, worker: hello.worker };
}

/** Waits for the other side's HELLO and checks it; on failure the socket is destroyed. */
function firstFrame(socket: Socket, self: Hello): Promise<{ link: Link; hello: Hello }> {
  return new Promise((resolve, reject) => {
    const decoder = new FrameDecoder(MAX_HELLO_BYTES);
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      socket.off("data", onData).off("error", fail).off("close", onClose);
      act();
    };
    const fail = (error: Error): void =>
      settle(() => {
        socket.on("error", () => {}).destroy();
        reject(error);
      });
    const onClose = (): void => fail(new Error("connection closed while greeting"));
    const timer = setTimeout(() => fail(new Error("no greeting in time")), GREETING_MS);
    let link: Link | undefined;
    const deliver = (frame: Frame): void => {
      if (link !== undefined) return link.deliver(frame); // in the same chunk as the answer
      const hello = checkHello(frame, self);
      settle(() => {
        link = new Link(socket, decoder, `worker ${hello.worker}`);
        resolve({ link, hello });
      });
    };
    const onData = (chunk: Buffer): void => {
      try {
        decoder.push(chunk, deliver);
      } catch (error) {
        if (link === undefined) fail(error as Error);
        else link.lose(error as Error);
      }
    };
    socket.setNoDelay(true);
    socket.on("data", onData).on("error", fail).on("close", onClose);
  });
}

function checkHello(frame: Frame, self: Hello): Hello {
  if (frame.type !== FrameType.HELLO) throw new FramingError("no greeting");
  const hello = JSON.parse(Buffer.from(frame.payload).toString("utf8")) as Partial<Hello>;
  if (typeof hello.token !== "string" || !sameSecret(hello.token, self.token)) throw new FramingError("greeting with a wrong token");
  if (hello.job !== self.job) throw new FramingError("greeting from another job");
  if (hello.generation !== self.generation) throw new FramingError(`greeting from generation ${hello.generation}`); // E3
  if (!Number.isSafeInteger(hello.worker)) throw new FramingError("greeting without a worker");
  return hello as Hello;
}

function sameSecret(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
