// Elements that come over the network, to a port of the process that reads them. Uses the SDK's public surface alone.
export { httpIngest, type HttpIngestOptions } from "./http-ingest.js";
export type { ListenOptions } from "./listening.js";
export type { StreamOptions } from "../source-options.js";
export { tcpLines, type TcpLinesOptions } from "./tcp-lines.js";
