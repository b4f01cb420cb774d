// Serves implementations of the service interfaces over gRPC, in plaintext as all of Beam's peers speak it.
import {
  Server,
  ServerCredentials,
  type MethodDefinition as GrpcMethod,
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

type Call =
  | ServerUnaryCall<unknown, unknown>
  | ServerReadableStream<unknown, unknown>
  | ServerWritableStream<unknown, unknown>
  | ServerDuplexStream<unknown, unknown>;
type Handler = (request: unknown, context: CallContext) => unknown;

/** One port with any number of services. */
export class GrpcServer {
  private readonly server = new Server({ ...CHANNEL_OPTIONS, "grpc.so_reuseport": 0 });
  private address: { readonly host: string; readonly port: number } | undefined;

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
    if (host === "0.0.0.0" || host === "::") return `127.0.0.1:${this.port}`;
    return `${host.includes(":") ? `[${host}]` : host}:${this.port}`;
  }

  /** Ends every call at once. */
  close(): Promise<void> {
    this.server.forceShutdown();
    return Promise.resolve();
  }
}

function toGrpc({ path, requestStream, responseStream, request, response }: MethodDefinition): GrpcMethod<unknown, unknown> {
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
