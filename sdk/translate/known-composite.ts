import Long from "long";
import { beam } from "../../portability/protos/index.js";
import type { KnownComposite } from "../model/transform-node.js";

/** What the message says of a composite that runners may execute in their own way. */
export function knownComposite({ urn, batches }: KnownComposite): beam.pipeline.IFunctionSpec {
  if (batches === undefined) return { urn };
  const { size = 0, bytes = 0, maxBufferingMs = 0 } = batches; // zero is no limit
  return {
    urn,
    payload: beam.pipeline.GroupIntoBatchesPayload.encode({
      batchSize: Long.fromNumber(size),
      batchSizeBytes: Long.fromNumber(bytes),
      maxBufferingDurationMillis: Long.fromNumber(maxBufferingMs),
    }).finish(),
  };
}
