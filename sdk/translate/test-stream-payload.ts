import Long from "long";
import { ByteWriter, type Coder } from "../../portability/coders/index.js";
import { beam } from "../../portability/protos/index.js";
import type { Primitive, TestStreamEvent } from "../model/transform-node.js";

/** The script of a TestStream as Beam's payload, its elements encoded. */
export function testStreamPayload({ coder, events }: Extract<Primitive, { kind: "test-stream" }>, coderId: string): Uint8Array {
  return beam.pipeline.TestStreamPayload.encode({ coderId, events: events.map((event) => toProto(event, coder)) }).finish();
}

function toProto(event: TestStreamEvent, coder: Coder<unknown>): beam.pipeline.TestStreamPayload.IEvent {
  if ("advanceMs" in event) return { processingTimeEvent: { advanceDuration: Long.fromNumber(event.advanceMs) } };
  if ("watermark" in event) return { watermarkEvent: { newWatermark: Long.fromNumber(event.watermark), tag: event.tag } };
  const timestamp = Long.fromNumber(event.timestamp);
  const elements = event.elements.map((element) => ({ encodedElement: encoded(coder, element), timestamp }));
  return { elementEvent: { elements, tag: event.tag } };
}

function encoded(coder: Coder<unknown>, element: unknown): Uint8Array {
  const writer = new ByteWriter();
  coder.encode(element, writer, true);
  return writer.view().slice();
}
