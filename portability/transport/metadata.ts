import { Metadata } from "@grpc/grpc-js";
import type { CallContext } from "../services/index.js";

/** The text values of gRPC's metadata; of several values of one name the first. */
export function fromMetadata(metadata: Metadata): CallContext["metadata"] {
  return new Map(Object.entries(metadata.getMap()).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

export function toMetadata(values: CallContext["metadata"]): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of values) metadata.set(name, value);
  return metadata;
}
