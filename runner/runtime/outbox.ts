import { MIN_TIMESTAMP, type Receiver, type Timestamp } from "../../portability/values/index.js";
import type { BundleParticipant } from "./bundle-participant.js";
import type { LaneOwner } from "./lane.js";
import { sendWatermark, type OutputStream } from "./output-stream.js";
import { DEFAULT_RUNTIME_OPTIONS } from "./runtime-options.js";
import { IDLE } from "./watermark-coalescer.js";

/** A bundle may hold so many times the bytes after which it should end: what one element emits at once has its place there. */
const HELD_AT_MOST = 4;

/**
 * All output of a task: for each output PCollection a tee of the streams that carry it.
 *
 * - O1. Elements pushed while {@link isFull} are kept; the task pushes no more than what one input element emits then.
 * - O2. The watermark goes to every channel of every stream, behind the elements before it, and never moves back.
 * - O3. So does {@link IDLE}; the next watermark ends it for all channels, although it may be the same as before.
 * - O4. What is pushed between {@link begin} and {@link commit} goes with the commit, or never if {@link rollback} comes instead.
 * - O5. {@link letGo} ends that for the open bundle: what it has put out goes, and so does what follows, as soon as there is room.
 */
export class Outbox implements LaneOwner, BundleParticipant {
  /** Told when something that waited for room went. */
  onRoom: () => void = () => {};
  /** The watermark sent last. */
  watermark: Timestamp = MIN_TIMESTAMP;
  /** Whether output is kept until the bundle is committed (O4). */
  holding = false;
  /** Whether the task should pause, or end its bundle. A field, since it is read for every element. */
  pressed = false;
  private idle = false;
  private readonly streams: OutputStream[] = [];
  private readonly receivers = new Map<string, Receiver>();
  private fullLanes = 0;
  private heldBytes = 0;

  /** @param bundleBytes of held output, after which a bundle should end */
  constructor(private readonly bundleBytes = DEFAULT_RUNTIME_OPTIONS.bundleBytes) {}

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
    return this.fullLanes > 0 || this.heldBytes >= this.bundleBytes * HELD_AT_MOST;
  }

  /** Whether {@link sendIdle} was the last that was said. */
  get isIdle(): boolean {
    return this.idle;
  }

  /** Whether something that may go cannot, for want of room. */
  get waitsForRoom(): boolean {
    return this.fullLanes > 0;
  }

  /** Whether so much is held that the bundle should end. */
  get holdsEnough(): boolean {
    return this.heldBytes >= this.bundleBytes;
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

  /** Their bytes, as estimated by samples. */
  get sentBytes(): number {
    let bytes = 0;
    for (const { lanes } of this.streams) for (const lane of lanes) bytes += lane.sentBytes;
    return bytes;
  }

  /** For people: the tasks that output which may go waits for. */
  get fullDestinations(): readonly string[] {
    return this.streams.flatMap(({ lanes }) => lanes.filter((lane) => lane.isFull).map(({ destination }) => destination));
  }

  /** A bundle starts (O4); only while nothing waits for room. */
  begin(): void {
    this.holding = true;
  }

  /** Sends what the bundle has put out, as soon as there is room. */
  commit(): void {
    this.endHolding();
    for (const { lanes } of this.streams) for (const lane of lanes) lane.flush();
  }

  rollback(): void {
    this.endHolding();
    for (const { lanes } of this.streams) for (const lane of lanes) lane.drop();
  }

  /** O5 */
  letGo(): void {
    this.endHolding();
    for (const { lanes } of this.streams) for (const lane of lanes) lane.sendQueued();
  }

  /** O2: ignores a watermark that is not news. */
  sendWatermark(watermark: Timestamp): void {
    if (watermark <= this.watermark && !this.idle) return;
    this.idle = false; // O3
    this.watermark = Math.max(watermark, this.watermark);
    for (const stream of this.streams) sendWatermark(stream, this.watermark);
  }

  /** Ends an epoch on all channels, behind everything that was put out; no bundle is open. */
  sendBarrier(epoch: number): void {
    for (const { lanes } of this.streams) for (const lane of lanes) lane.sendBarrier(epoch);
  }

  /** Says that nothing is to be waited for from here until there is something again. */
  sendIdle(): void {
    if (this.idle) return;
    this.idle = true;
    for (const stream of this.streams) sendWatermark(stream, IDLE);
  }

  laneHolds(bytes: number): void {
    this.heldBytes += bytes;
    this.notePressure();
  }

  laneFilled(): void {
    this.fullLanes++;
    this.notePressure();
  }

  laneUnfilled(): void {
    this.fullLanes--;
    this.notePressure();
  }

  roomCame(): void {
    this.onRoom();
  }

  private endHolding(): void {
    this.holding = false;
    this.heldBytes = 0;
    this.notePressure();
  }

  private notePressure(): void {
    this.pressed = this.fullLanes > 0 || this.heldBytes >= this.bundleBytes;
  }
}

function tee(first: Receiver, second: Receiver): Receiver {
  return (value, meta) => {
    first(value, meta);
    second(value, meta);
  };
}

function discard(): void {}
