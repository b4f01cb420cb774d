// Calls of gRPC as bytes on an HTTP/2 connection, so that frames may be as wrong as the messages in them.
import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";

export interface RawCall {
  readonly path: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** What is sent, frames and all. */
  readonly body: Uint8Array;
  /** Whether the caller is gone before the answer is there. */
  readonly isCutShort?: boolean;
}

export interface RawAnswer {
  /** Of gRPC; undefined where the call has ended without one. */
  readonly status: number | undefined;
  readonly message: string;
  /** Messages of the answer, with their frames. */
  readonly body: Buffer;
}

/** How long a call may take that ought to end by itself. */
const ENDS_WITHIN_MS = 30_000;

export class RawCaller {
  private session: ClientHttp2Session | undefined;

  constructor(private readonly url: string) {}

  /** Resolves when the call is over. @throws Error if it does not end, or the connection cannot be had */
  call({ path, metadata, body, isCutShort }: RawCall): Promise<RawAnswer> {
    const stream = this.connected().request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...metadata,
    });
    let status: number | undefined;
    let message = "";
    const chunks: Buffer[] = [];
    const seen = (headers: IncomingHttpHeaders): void => {
      if (headers["grpc-status"] === undefined) return;
      status = Number(headers["grpc-status"]);
      const text = headers["grpc-message"];
      message = typeof text === "string" ? decodeURIComponent(text) : "";
    };
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`a call of ${path} does not end: ${Buffer.from(body).toString("base64").slice(0, 2000)}`));
        stream.close(constants.NGHTTP2_CANCEL);
      }, ENDS_WITHIN_MS);
      stream.on("response", seen).on("trailers", seen);
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("error", () => {}); // the call is over, one way or the other
      stream.once("close", () => {
        clearTimeout(timer);
        resolve({ status, message, body: Buffer.concat(chunks) });
      });
      if (isCutShort === true) stream.write(body, () => stream.close(constants.NGHTTP2_CANCEL));
      else stream.end(body);
    });
  }

  close(): void {
    this.session?.destroy();
  }

  private connected(): ClientHttp2Session {
    const { session } = this;
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    this.session = connect(`http://${this.url}`);
    this.session.on("error", () => {}); // told by the calls
    return this.session;
  }
}

/** A message in gRPC's frame. */
export function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
