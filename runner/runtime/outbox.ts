import { MIN_TIMESTAMP, type Receiver, type Timestamp } from "../../portability/values/index.js";
import type { LaneOwner } from "./lane.js";
import { sendWatermark, type OutputStream } from "./output-stream.js";
import { IDLE } from "./watermark-coalescer.js";

/**
 * All output of a task: for each output PCollection a tee of the streams that carry it.
 *
 * - O1. Elements pushed while {@link isFull} are kept; the task pushes no more than what one input element emits then.
 * - O2. The watermark goes to every channel of every stream, behind the elements before it, and never moves back.
 * - O3. So does {@link IDLE}; the next watermark ends it for all channels, although it may be the same as before.
 */
export class Outbox implements LaneOwner {
  /** Told when something that waited for room went. */
  onRoom: () => void = () => {};
  /** The watermark sent last. */
  watermark: Timestamp = MIN_TIMESTAMP;
  private idle = false;
  private readonly streams: OutputStream[] = [];
  private readonly receivers = new Map<string, Receiver>();
  private fullLanes = 0;

  /** Adds a stream of a PCollection; all of them must be there before {@link receiverOf} is asked. */
  addStream(pcollection: string, stream: OutputStream): void {
    this.streams.push(stream);
    const before = this.receivers.get(pcollection);
    this.receivers.set(pcollection, before === undefined ? stream.push : tee(before, stream.push));
  }

  /** Where a PCollection's elements go; nowhere, if no stream carries it. */
  receiverOf(pcollection: string): Receiver {
    return this.receivers.get(pcollection) ?? discard;
  }

  /** Whether the task has to pause (O1). */
  get isFull(): boolean {
    return this.fullLanes > 0;
  }

  /** Whether everything, watermarks included, has been handed over. */
  get isEmpty(): boolean {
    return this.streams.every(({ lanes }) => lanes.every((lane) => lane.isEmpty));
  }

  get queuedBytes(): number {
    let bytes = 0;
    for (const { lanes } of this.streams) for (const lane of lanes) bytes += lane.queuedBytes;
    return bytes;
  }

  /** Elements handed over, once for each stream. */
  get sent(): number {
    let sent = 0;
    for (const { lanes } of this.streams) for (const lane of lanes) sent += lane.sent;
    return sent;
  }

  /** Sends what has gathered, as soon as there is room. */
  flush(): void {
    for (const { lanes } of this.streams) for (const lane of lanes) lane.flush();
  }

  /** O2: ignores a watermark that is not news. */
  sendWatermark(watermark: Timestamp): void {
    if (watermark <= this.watermark && !this.idle) return;
    this.idle = false; // O3
    this.watermark = Math.max(watermark, this.watermark);
    for (const stream of this.streams) sendWatermark(stream, this.watermark);
  }

  /** Says that nothing is to be waited for from here until there is something again. */
  sendIdle(): void {
    if (this.idle) return;
    this.idle = true;
    for (const stream of this.streams) sendWatermark(stream, IDLE);
  }

  laneFilled(): void {
    this.fullLanes++;
  }

  laneUnfilled(): void {
    this.fullLanes--;
  }

  roomCame(): void {
    this.onRoom();
  }
}

function tee(first: Receiver, second: Receiver): Receiver {
  return (value, meta) => {
    first(value, meta);
    second(value, meta);
  };
}

function discard(): void {}
