// Calls services over gRPC through the same interfaces that implement them.
import { Client, credentials, type ClientDuplexStream, type ClientReadableStream } from "@grpc/grpc-js";
import type { CallContext } from "../services/index.js";
import { CHANNEL_OPTIONS } from "./channel-options.js";
import { toMetadata } from "./metadata.js";
import type { MethodDefinition, ServiceDefinition } from "./service-definition.js";
import { serviceErrorOf } from "./status.js";
import { messagesOf, writeAll } from "./streams.js";

type ClientStream = ClientReadableStream<unknown> | ClientDuplexStream<unknown, unknown>;

/** A connection to one server, made with the first call, for the clients of any of its services. */
export class GrpcConnection {
  private readonly client: Client;

  /** @param address `host:port` */
  constructor(readonly address: string) {
    this.client = new Client(address, credentials.createInsecure(), CHANNEL_OPTIONS);
  }

  /** A client whose methods are calls to the server. */
  service<S extends object>({ methods }: ServiceDefinition<S>): S {
    const service: Record<string, (request: unknown, context: CallContext) => unknown> = {};
    for (const method of methods)
      service[method.name] = method.responseStream
        ? (request, context) => this.stream(method, request, context)
        : (request, context) => this.unary(method, request, context);
    return service as S;
  }

  /** Takes no more calls; the connection ends with the last one. */
  close(): void {
    this.client.close();
  }

  private unary({ path, request, response }: MethodDefinition, message: unknown, { metadata, signal }: CallContext): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const call = this.client.makeUnaryRequest(
        path,
        (value) => request.encode(value),
        (bytes) => response.decode(bytes),
        message,
        toMetadata(metadata),
        (error, value) => {
          signal.removeEventListener("abort", cancel);
          if (error === null) resolve(value);
          else reject(serviceErrorOf(error));
        },
      );
      const cancel = (): void => call.cancel();
      if (signal.aborted) cancel();
      else signal.addEventListener("abort", cancel);
    });
  }

  /** The call begins at once, not when its answers are read. */
  private stream(method: MethodDefinition, request: unknown, { metadata, signal }: CallContext): AsyncIterable<unknown> {
    const { path } = method;
    const encode = (value: unknown): Buffer => method.request.encode(value);
    const decode = (bytes: Buffer): unknown => method.response.decode(bytes);
    const over = new AbortController();
    const call: ClientStream = method.requestStream
      ? this.client.makeBidiStreamRequest(path, encode, decode, toMetadata(metadata))
      : this.client.makeServerStreamRequest(path, encode, decode, request, toMetadata(metadata));
    const cancel = (): void => call.cancel();
    call.on("error", () => {}); // told to the reader
    call.on("status", () => {
      signal.removeEventListener("abort", cancel);
      over.abort();
    });
    if (signal.aborted) cancel();
    else signal.addEventListener("abort", cancel);
    if (method.requestStream) send(request as AsyncIterable<unknown>, call as ClientDuplexStream<unknown, unknown>, over.signal);
    return messagesOf(call, signal, cancel);
  }
}

function send(requests: AsyncIterable<unknown>, call: ClientDuplexStream<unknown, unknown>, over: AbortSignal): void {
  writeAll(requests, call, over).then(
    () => call.end(),
    () => call.cancel(),
  );
}

/** A context without metadata that nobody cancels, or with what is given. */
export function callContext(
  metadata: Readonly<Record<string, string>> = {},
  signal: AbortSignal = new AbortController().signal,
): CallContext {
  return { metadata: new Map(Object.entries(metadata)), signal };
}
