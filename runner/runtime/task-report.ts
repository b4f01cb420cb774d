// What a task tells people: what it has done, and what it waits for. Reads, and changes nothing.
import { formatTimestamp, MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from "../../portability/values/index.js";
import type { Bundle } from "./bundle.js";
import type { Feed } from "./feed.js";
import type { HeadOperator } from "./head.js";
import type { Inbox } from "./inbox.js";
import type { Outbox } from "./outbox.js";
import type { StageRunner } from "./stage-runner.js";
import type { TaskCounts } from "./task-counts.js";

/** Tasks named where one waits for input. */
const NAMED = 3;

/** What can be told of a task. */
export interface TaskView {
  readonly componentId: string;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly stage: StageRunner;
  readonly bundle: Bundle;
  /** Both undefined before the stage is open. */
  readonly head: HeadOperator | undefined;
  readonly feed: Feed | undefined;
  readonly inputWatermark: Timestamp;
  /** What is waited for, if it is a promise of user code. */
  readonly waitingFor: string | undefined;
  readonly busyMs: number;
}

/** What a task that is not done needs to go on. */
export function describeWait({ inbox, outbox, stage, head, inputWatermark, waitingFor }: TaskView): string {
  if (outbox.waitsForRoom) return describeRoom(outbox);
  if (waitingFor !== undefined) return stage.describeWait() ?? waitingFor;
  const besides = head?.waitsFor;
  if (inputWatermark === MAX_TIMESTAMP) return besides ?? "input";
  const input = describeInput(inbox, inputWatermark);
  return besides === undefined ? input : `${input}, and ${besides}`;
}

export function describeRoom(outbox: Outbox): string {
  const to = outbox.fullDestinations.filter((name) => name !== "");
  return `room for ${outbox.queuedBytes} bytes of output${to.length === 0 ? "" : ` at ${to.join(", ")}`}`;
}

/** What it has done by `now`, the time of day. */
export function countsOf(task: TaskView, now: number): TaskCounts {
  const { inbox, outbox, bundle, head } = task;
  const { elements, committedElements, attempted, committed } = task.stage.totals();
  return {
    component: task.componentId,
    elementsIn: task.feed?.elementsIn ?? 0,
    elementsOut: outbox.sent,
    bytesIn: inbox.bytesTaken,
    bytesOut: outbox.sentBytes,
    bundles: bundle.committed,
    retries: bundle.retries,
    bundlesLetGo: bundle.bundlesLetGo,
    busyMs: task.busyMs,
    inputWatermark: task.inputWatermark,
    outputWatermark: outbox.watermark,
    watermarkLagMs: isInstant(outbox.watermark) ? Math.max(0, now - outbox.watermark) : undefined,
    queuedBytes: inbox.queuedBytes + outbox.queuedBytes,
    backlogBytes: inbox.queuedBytes,
    droppedLate: head?.droppedLate ?? 0,
    droppedClosed: head?.droppedClosed ?? 0,
    pcollections: Object.fromEntries(elements),
    committedPcollections: Object.fromEntries(committedElements),
    metrics: attempted,
    committed,
  };
}

function describeInput(inbox: Inbox, watermark: Timestamp): string {
  const from = [...new Set(inbox.laggards)].filter((name) => name !== "");
  if (from.length === 0) return "input";
  const named = from.slice(0, NAMED).join(", ") + (from.length > NAMED ? ` and ${from.length - NAMED} more` : "");
  return `input from ${named}${isInstant(watermark) ? `, whose watermark is ${formatTimestamp(watermark)}` : ""}`;
}

function isInstant(watermark: Timestamp): boolean {
  return watermark > MIN_TIMESTAMP && watermark < MAX_TIMESTAMP;
}
