// The services of the portability API over gRPC: a server of implementations, and clients with the same interfaces.
export * from "./grpc-client.js";
export * from "./grpc-server.js";
export * from "./service-definition.js";
