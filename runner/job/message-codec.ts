// Messages between a coordinator and workers of other processes as JSON: what is not JSON in them already is a topology,
// whose stages share Beam components (sent once, as protobuf), and an error.
import { beam } from "../../portability/protos/index.js";
import { CancelledError, PipelineError, UserCodeError, type ErrorSite } from "../../portability/stage-host/index.js";
import type { Component, Topology } from "../topology/index.js";
import type { FromWorker, ToWorker } from "./messages.js";

/** A message as a JSON value. */
export type EncodedMessage = unknown;

/** @internal */
export function encodeToWorker(message: ToWorker): EncodedMessage {
  return message.type === "deploy" ? { ...message, topology: encodeTopology(message.topology) } : message;
}

/** @internal */
export function decodeToWorker(encoded: EncodedMessage): ToWorker {
  const message = encoded as ToWorker;
  return message.type === "deploy" ? { ...message, topology: decodeTopology(message.topology as unknown as EncodedTopology) } : message;
}

/** @internal */
export function encodeFromWorker(message: FromWorker): EncodedMessage {
  return message.type === "failed" ? { ...message, error: encodeError(message.error) } : message;
}

/** @internal */
export function decodeFromWorker(encoded: EncodedMessage): FromWorker {
  const message = encoded as FromWorker;
  return message.type === "failed" ? { ...message, error: decodeError(message.error as EncodedError) } : message;
}

interface EncodedTopology extends Omit<Topology, "components"> {
  readonly components: readonly (Omit<Component, "stage"> & {
    readonly stage: Omit<Component["stage"], "components"> & { components: number };
  })[];
  /** Each Components message that stages refer to, in base64. */
  readonly pipelines: readonly string[];
}

function encodeTopology(topology: Topology): EncodedTopology {
  const known = new Map<beam.pipeline.IComponents, number>();
  const components = topology.components.map((component) => {
    const { components: shared } = component.stage;
    if (!known.has(shared)) known.set(shared, known.size);
    return { ...component, stage: { ...component.stage, components: known.get(shared)! } };
  });
  const pipelines = [...known.keys()].map((each) => Buffer.from(beam.pipeline.Components.encode(each).finish()).toString("base64"));
  return { ...topology, components, pipelines };
}

function decodeTopology({ pipelines, ...topology }: EncodedTopology): Topology {
  const decoded = pipelines.map((each) => beam.pipeline.Components.decode(Buffer.from(each, "base64")));
  const components = topology.components.map((component) => ({
    ...component,
    stage: { ...component.stage, components: decoded[component.stage.components] },
  }));
  return { ...topology, components: components as Component[] };
}

interface EncodedError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
  readonly site?: ErrorSite;
  readonly cause?: EncodedError;
}

/** Causes of causes that are sent along. */
const MAX_CAUSES = 8;

function encodeError(error: unknown, depth = 0): EncodedError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    code: typeof (error as { code?: unknown }).code === "string" ? (error as { code?: string }).code : undefined,
    site: error instanceof UserCodeError ? error.site : undefined,
    cause: error.cause !== undefined && depth < MAX_CAUSES ? encodeError(error.cause, depth + 1) : undefined,
  };
}

/** An error of the class it had where the program can tell them apart, with the message, stack and causes it had. */
function decodeError({ name, message, stack, code, site, cause: encodedCause }: EncodedError): Error {
  const cause = encodedCause === undefined ? undefined : decodeError(encodedCause);
  const options = cause === undefined ? undefined : { cause };
  let error: Error;
  if (site !== undefined) error = new UserCodeError(site, "", cause);
  else if (name === "PipelineError") error = new PipelineError(code ?? "", message, options);
  else if (name === "CancelledError") error = new CancelledError(message, options);
  else error = Object.assign(new Error(message, options), code === undefined ? {} : { code });
  if (error.name !== name) Object.defineProperty(error, "name", { value: name, configurable: true });
  Object.defineProperty(error, "message", { value: message, configurable: true });
  Object.defineProperty(error, "stack", { value: stack, configurable: true });
  return error;
}
