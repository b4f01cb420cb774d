// Between gRPC's streams and AsyncIterables, with back-pressure in both directions.
import type { Readable, Writable } from "node:stream";
import { ServiceError } from "../services/index.js";
import { serviceErrorOf } from "./status.js";

/** Writes all messages, each as soon as the one before has room; resolves when the last one is handed over, or the call is over. */
export async function writeAll(messages: AsyncIterable<unknown>, stream: Writable, signal: AbortSignal): Promise<void> {
  const iterator = messages[Symbol.asyncIterator]();
  // Who waits for a message when the call is lost must not wait for ever; a service that only looks at the signal ends by itself.
  const abandon = (): void => void iterator.return?.(undefined)?.catch(() => {});
  signal.addEventListener("abort", abandon);
  try {
    while (!signal.aborted) {
      const result = await iterator.next();
      if (result.done === true || signal.aborted) return;
      if (!stream.write(result.value)) await drained(stream, signal);
    }
  } finally {
    signal.removeEventListener("abort", abandon);
  }
}

function drained(stream: Writable, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off("drain", done).off("close", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    stream.on("drain", done).on("close", done);
    signal.addEventListener("abort", done);
  });
}

/**
 * The messages of a stream. Errors are ServiceErrors, and so is the end of a call before its end.
 * @param stopped told when the reader stops before the end
 */
export async function* messagesOf(stream: Readable, signal: AbortSignal, stopped: () => void = () => {}): AsyncGenerator<unknown> {
  let complete = false;
  try {
    for await (const message of stream.iterator({ destroyOnReturn: false })) yield message;
    complete = true;
  } catch (error) {
    complete = true;
    if (signal.aborted) throw new ServiceError("CANCELLED", "the call was cancelled", { cause: error });
    throw serviceErrorOf(error);
  } finally {
    if (!complete) stopped();
  }
  if (signal.aborted) throw new ServiceError("CANCELLED", "the call was cancelled");
}
