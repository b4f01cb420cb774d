// The sending end of one stream at one task: deals elements out to the consumer's tasks by the stream's grouping.
import type { ElementMeta, KV, Receiver, Timestamp } from "../../portability/values/index.js";
import { taskOfKeyGroup, type KeyGroups } from "../store/index.js";
import type { OutputChannel } from "./channel.js";
import type { ElementSizer } from "./element-sizer.js";
import { Lane, type LaneOwner } from "./lane.js";

export interface OutputStream {
  readonly push: Receiver;
  readonly lanes: readonly Lane[];
}

/** What an output stream is made of. */
export interface OutputStreamParts {
  /** A channel to each task of the consumer, or to the one of the same index for a direct grouping. */
  readonly channels: readonly OutputChannel[];
  readonly sizer: ElementSizer;
  readonly batchBytes: number;
  readonly owner: LaneOwner;
}

/** Direct grouping, and any other when the consumer has one task: no element is looked into. */
export function singleStream({ channels, sizer, batchBytes, owner }: OutputStreamParts): OutputStream {
  const lane = new Lane(channels, sizer, batchBytes, owner);
  return { push: (value, meta) => lane.push(value, meta), lanes: [lane] };
}

/** Shuffle: each batch, as a whole, to the task with most room (Lane, L3). */
export const shuffleStream = singleStream;

/** Fields grouping: equal keys meet in one task. */
export function fieldsStream({ channels, sizer, batchBytes, owner }: OutputStreamParts, groups: KeyGroups): OutputStream {
  const lanes = channels.map((channel) => new Lane([channel], sizer, batchBytes, owner));
  const tasks = taskOfKeyGroup(groups.count, lanes.length);
  const { keys, count } = groups;
  const push = (value: unknown, meta: ElementMeta): void => {
    const id = keys.identify((value as KV<unknown, unknown>).key);
    lanes[tasks[keys.hash(id) % count]].push(value, meta);
  };
  return { push, lanes };
}

/** All: each element to every task. */
export function allStream({ channels, sizer, batchBytes, owner }: OutputStreamParts): OutputStream {
  const lanes = channels.map((channel) => new Lane([channel], sizer, batchBytes, owner));
  const push = (value: unknown, meta: ElementMeta): void => {
    for (let i = 0; i < lanes.length; i++) lanes[i].push(value, meta);
  };
  return { push, lanes };
}

/** Queues a watermark behind everything that the stream has sent. */
export function sendWatermark(stream: OutputStream, watermark: Timestamp): void {
  for (const lane of stream.lanes) lane.sendWatermark(watermark);
}
