// Elements that are there before any channel brings some.
import { ByteReader } from "../../portability/coders/index.js";
import type { StageHost } from "../../portability/stage-host/index.js";
import { IMPULSE_META, MAX_TIMESTAMP } from "../../portability/values/index.js";
import { ElementBatch, type Inbox } from "../runtime/index.js";
import type { Component } from "../topology/index.js";

/** The one element of an impulse: no bytes, in the form that the stage's host takes (stage-host, H4). */
export function feedImpulse(inbox: Inbox, host: StageHost, { head, stage }: Component): void {
  const coderId = stage.components.pcollections?.[head.output]?.coderId;
  const value = coderId ? host.coder(stage, coderId).decode(new ByteReader(Uint8Array.of(0)), true) : new Uint8Array(0);
  const batch = new ElementBatch();
  batch.push(value, IMPULSE_META);
  feed(inbox, batch);
}

/** All that there will be of its feed. */
export function feed(inbox: Inbox, batch: ElementBatch): void {
  const port = inbox.addFeed();
  inbox.receive(port, batch);
  inbox.receiveWatermark(port, MAX_TIMESTAMP);
}
