// Serves implementations of the service interfaces over gRPC, in plaintext as all of Beam's peers speak it.
import type * as Grpc from "@grpc/grpc-js";
import {
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import { ServiceError, type CallContext } from "../services/index.js";
import { CHANNEL_OPTIONS } from "./channel-options.js";
import { fromMetadata } from "./metadata.js";
import type { MethodDefinition, ServiceDefinition } from "./service-definition.js";
import { statusOf } from "./status.js";
import { messagesOf, writeAll } from "./streams.js";

export interface ListenOptions {
  /** Default: 127.0.0.1; nobody else can reach it. */
  readonly host?: string;
  /** Default: 0, any free one. */
  readonly port?: number;
}

/** How often a connection is asked whether there is still somebody, in milliseconds. */
const KEEPALIVE_MS = 60_000;

/** Whether an address is one that this machine's programs alone can reach. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

type Call =
  | ServerUnaryCall<unknown, unknown>
  | ServerReadableStream<unknown, unknown>
  | ServerWritableStream<unknown, unknown>
  | ServerDuplexStream<unknown, unknown>;
type GrpcMethodDefinition = Grpc.MethodDefinition<unknown, unknown>;
type Handler = (request: unknown, context: CallContext) => unknown;

/** What callers may ask of a server; what is beyond is refused, and the connection lives on. */
export interface ServerLimits {
  /** Greatest size of a message; a call with a larger one fails with RESOURCE_EXHAUSTED before the message is read. Default: 512 MiB. */
  readonly maxMessageBytes?: number;
  /** Calls that one connection may have open. Default: 1024. */
  readonly maxStreams?: number;
}

/** One port with any number of services. */
export class GrpcServer {
  private readonly server: Server;
  private address: { readonly host: string; readonly port: number } | undefined;

  constructor({ maxMessageBytes = 512 << 20, maxStreams = 1024 }: ServerLimits = {}) {
    this.server = new Server({
      ...CHANNEL_OPTIONS,
      "grpc.so_reuseport": 0,
      "grpc.max_receive_message_length": maxMessageBytes,
      "grpc.max_concurrent_streams": maxStreams,
      "grpc.keepalive_time_ms": KEEPALIVE_MS,
    });
  }

  /** Before {@link listen}. A method that the implementation does not have fails with UNIMPLEMENTED. */
  add<S extends object>({ methods }: ServiceDefinition<S>, implementation: Partial<S>): this {
    for (const method of methods) {
      const handler = (implementation as Readonly<Record<string, Handler | undefined>>)[method.name];
      if (handler === undefined) continue;
      this.server.addService(
        { [method.name]: toGrpc(method) },
        { [method.name]: handle(method, handler.bind(implementation) as Handler) as UntypedHandleCall },
      );
    }
    return this;
  }

  /** @throws Error if the port cannot be had; its message says which */
  async listen({ host = "127.0.0.1", port = 0 }: ListenOptions = {}): Promise<void> {
    const bound = await new Promise<number>((resolve, reject) =>
      this.server.bindAsync(`${host.includes(":") ? `[${host}]` : host}:${port}`, ServerCredentials.createInsecure(), (error, actual) =>
        error === null ? resolve(actual) : reject(new Error(`cannot listen on ${host}:${port}: ${error.message}`, { cause: error })),
      ),
    );
    this.address = { host, port: bound };
  }

  get port(): number {
    if (this.address === undefined) throw new Error("the server does not listen yet");
    return this.address.port;
  }

  /** `host:port` under which this machine reaches it. */
  get url(): string {
    const host = this.address?.host ?? "";
    return `${host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host}:${this.port}`;
  }

  /** Ends every call at once. */
  close(): Promise<void> {
    this.server.forceShutdown();
    return Promise.resolve();
  }
}

function toGrpc({ path, requestStream, responseStream, request, response }: MethodDefinition): GrpcMethodDefinition {
  return {
    path,
    requestStream,
    responseStream,
    requestSerialize: (message) => request.encode(message),
    requestDeserialize: (bytes) => request.decode(bytes),
    responseSerialize: (message) => response.encode(message),
    responseDeserialize: (bytes) => response.decode(bytes),
  };
}

function handle(method: MethodDefinition, handler: Handler) {
  return (call: Call, callback?: sendUnaryData<unknown>): void => {
    const context = contextOf(call);
    const request = method.requestStream ? messagesOf(call as ServerDuplexStream<unknown, unknown>, context.signal) : requestOf(call);
    if (!method.responseStream) {
      answer(() => handler(request, context) as Promise<unknown>, callback!);
      return;
    }
    void answerStream(() => handler(request, context) as AsyncIterable<unknown>, call as ServerWritableStream<unknown, unknown>, context);
  };
}

const requestOf = (call: Call): unknown => (call as ServerUnaryCall<unknown, unknown>).request;

function answer(respond: () => Promise<unknown>, callback: sendUnaryData<unknown>): void {
  new Promise((resolve) => resolve(respond())).then(
    (response) => callback(null, response),
    (error: unknown) => callback(statusOf(error)),
  );
}

async function answerStream(
  respond: () => AsyncIterable<unknown>,
  call: ServerWritableStream<unknown, unknown>,
  { signal }: CallContext,
): Promise<void> {
  call.on("error", () => {}); // a lost connection is told by the signal
  try {
    await writeAll(respond(), call, signal);
    if (!signal.aborted) call.end();
  } catch (error) {
    if (!signal.aborted) call.emit("error", statusOf(error));
  }
}

function contextOf(call: Call): CallContext {
  const controller = new AbortController();
  (call as ServerUnaryCall<unknown, unknown>).on("cancelled", () => controller.abort(new ServiceError("CANCELLED", "the caller has gone")));
  return { metadata: fromMetadata(call.metadata), signal: controller.signal };
}
