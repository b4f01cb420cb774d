import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from "../../portability/values/index.js";
import { Barrier, BarrierAligner, LostElementsError } from "./barrier.js";
import { ElementBatch } from "./element-batch.js";
import type { Pick } from "./shuffle.js";
import { IDLE, WatermarkCoalescer } from "./watermark-coalescer.js";

/** A batch that is decoded when its turn comes. */
export interface EncodedBatch {
  readonly bytes: number;
  decode(): ElementBatch;
}

/** What a channel carries. */
type Frame = ElementBatch | EncodedBatch | Timestamp | Barrier;

/** One input channel as the receiving task sees it. */
class Port {
  /** Batches, watermarks and barriers in the order of their sending. */
  readonly frames: Frame[] = [];
  /** Index of the oldest frame; the ones before it are gone. */
  first = 0;
  /** The watermark taken last. */
  watermark: Timestamp = MIN_TIMESTAMP;
  /** Elements taken. */
  elements = 0;
  /** Of the barrier taken last. */
  epoch = 0;
  /** Its place among the channels that bring barriers; -1 for one that brings none. */
  lane = -1;

  constructor(
    readonly returnCredits: (bytes: number) => void,
    /** The task at the other end, for people. */
    readonly from: string,
  ) {}

  get waiting(): number {
    return this.frames.length - this.first;
  }

  take(): Frame | undefined {
    if (this.first === this.frames.length) return undefined;
    const frame = this.frames[this.first];
    this.frames[this.first++] = 0; // let go of the batch
    if (this.first === this.frames.length) {
      this.frames.length = 0;
      this.first = 0;
    } else if (this.first >= 1024) {
      this.frames.splice(0, this.first);
      this.first = 0;
    }
    return frame;
  }
}

/**
 * The input of a task: frames of its channels, each in order, the channels in turn.
 *
 * - I1. A watermark takes effect when all that its channel sent before it has been taken.
 * - I2. The bytes of a batch are returned to its sender once the batch has been given back with {@link release}.
 * - I3. What is queued is bounded by the credits of the senders; the inbox itself refuses nothing.
 * - I4. Of watermarks that wait behind each other the newest is kept; {@link IDLE} does not take the place of one.
 * - I5. Of a channel that has brought a barrier nothing is taken until {@link passBarrier}, which comes when the others have brought it, too:
 *   then {@link barrier} tells. What piles up meanwhile is bounded by credits like anything else (I3).
 * - I6. With {@link overtake} the barrier is there although some channels have not brought it. What is taken from these, from {@link passBarrier} on
 *   until they bring it, is told to {@link onLate}.
 */
export class Inbox {
  /** Told when something arrives at an inbox that was empty. */
  onArrival: () => void = () => {};
  /** Told of batches that belong to the epoch before, and when there are no more (I6). */
  onLate: ((batch: ElementBatch) => void) | undefined;
  onCaughtUp: () => void = () => {};
  /** Which channel is looked at next, where they do not take turns. */
  pick: Pick | undefined;
  /** Bytes waiting or being processed. */
  queuedBytes = 0;
  /** Bytes that have been taken so far. */
  bytesTaken = 0;
  private readonly ports: Port[] = [];
  private readonly feeds: Port[] = [];
  private lanes = 0;
  private coalescer: WatermarkCoalescer | undefined;
  private aligner: BarrierAligner | undefined;
  /** Frames that may be taken: those of blocked channels are left out (I5). */
  private waiting = 0;
  private next = 0;
  private takenPort: Port | undefined;
  private takenBytes = 0;

  /** Adds an input channel from another task; all of them must be there before the first frame. */
  addPort(returnCredits: (bytes: number) => void, from = ""): number {
    const port = new Port(returnCredits, from);
    port.lane = this.lanes++;
    return this.ports.push(port) - 1;
  }

  /** Adds what feeds the task by itself, and brings no barriers. */
  addFeed(): number {
    const port = new Port(() => {}, "");
    this.feeds.push(port);
    return this.ports.push(port) - 1;
  }

  /** The epoch whose barrier every channel has brought (I5). */
  get barrier(): number | undefined {
    return this.aligner?.aligned;
  }

  /** Whether something of what feeds the task is still to be taken. */
  get hasFeed(): boolean {
    return this.feeds.some((port) => port.waiting > 0);
  }

  /** Asks for the barrier of an epoch: those who have no channel left that could bring it are there at once. */
  requestBarrier(epoch: number): void {
    this.alignerOfAll().request(epoch);
  }

  /** Whether channels are blocked because others have not brought the barrier. */
  get isHeldUp(): boolean {
    return this.aligner?.isHeldUp === true;
  }

  /** Whether channels have still to bring what belongs to the epoch that was passed (I6). */
  get isLagging(): boolean {
    return this.aligner?.hasLagging === true;
  }

  /** I6 */
  get isOvertaking(): boolean {
    return this.aligner?.isOvertaking === true;
  }

  /** I6 */
  overtake(): void {
    this.alignerOfAll().overtake();
  }

  /** All channels begin at this watermark: they had come so far in another run. */
  goOnFrom(watermark: Timestamp): void {
    this.coalescer = new WatermarkCoalescer(this.ports.length, watermark);
  }

  /** Goes on behind the barrier. */
  passBarrier(): void {
    const aligner = this.alignerOfAll();
    for (const port of this.ports) if (port.lane >= 0 && aligner.isBlocked(port.lane)) this.waiting += port.waiting;
    aligner.pass();
  }

  /** For people: which tasks hold the input watermark where it is. */
  get laggards(): readonly string[] {
    const { watermark } = this;
    return this.ports.filter((port) => port.watermark <= watermark).map(({ from }) => from);
  }

  receive(port: number, batch: ElementBatch | EncodedBatch): void {
    this.queuedBytes += batch.bytes;
    this.arrive(port, batch);
  }

  receiveWatermark(port: number, watermark: Timestamp): void {
    const { frames } = this.ports[port];
    const last = frames.length - 1;
    if (last >= this.ports[port].first && replaces(watermark, frames[last])) frames[last] = watermark;
    else this.arrive(port, watermark);
  }

  /** The input watermark, as far as frames have been taken. */
  get watermark(): Timestamp {
    return this.coalescer === undefined ? (this.ports.length === 0 ? MAX_TIMESTAMP : MIN_TIMESTAMP) : this.coalescer.watermark;
  }

  /** Whether none of the channels is to be waited for although more may come, as far as frames have been taken. */
  get isIdle(): boolean {
    return this.coalescer !== undefined && this.coalescer.isIdle;
  }

  /** The next batch, or undefined if there is none, or a watermark has moved first, or a barrier is there: look at {@link watermark} and {@link barrier}. */
  take(): ElementBatch | undefined {
    const { ports } = this;
    const coalescer = (this.coalescer ??= new WatermarkCoalescer(ports.length));
    if (this.pick !== undefined) this.next = this.pick(ports.length);
    while (this.waiting > 0) {
      const port = ports[this.next];
      const frame = this.isBlocked(port) ? undefined : port.take();
      if (frame === undefined) {
        this.next = this.next + 1 === ports.length ? 0 : this.next + 1;
        continue;
      }
      this.waiting--;
      if (typeof frame === "number") {
        port.watermark = frame;
        if (frame === MAX_TIMESTAMP && port.lane >= 0) this.isOver(port);
        if (coalescer.observe(this.next, frame)) return undefined; // I1
        continue;
      }
      if (frame instanceof Barrier) {
        this.reached(port, frame);
        if (this.barrier !== undefined) return undefined;
        continue;
      }
      coalescer.activate(this.next);
      this.takenPort = port;
      this.takenBytes = frame.bytes;
      this.next = this.next + 1 === ports.length ? 0 : this.next + 1;
      const batch = frame instanceof ElementBatch ? frame : frame.decode();
      port.elements += batch.length;
      if (this.aligner?.hasLagging === true && port.lane >= 0 && this.aligner.lags(port.lane)) this.onLate?.(batch);
      return batch;
    }
    return undefined;
  }

  /** The batch taken last has been processed (I2). */
  release(): void {
    const port = this.takenPort;
    if (port === undefined) return;
    this.takenPort = undefined;
    this.queuedBytes -= this.takenBytes;
    this.bytesTaken += this.takenBytes;
    port.returnCredits(this.takenBytes);
  }

  /** Whether any frame waits to be taken. */
  get hasWaiting(): boolean {
    return this.waiting > 0;
  }

  receiveBarrier(port: number, barrier: Barrier): void {
    this.arrive(port, barrier);
  }

  private arrive(index: number, frame: Frame): void {
    const port = this.ports[index];
    port.frames.push(frame);
    if (this.isBlocked(port)) return; // it counts from passBarrier on
    if (this.waiting++ === 0) this.onArrival();
  }

  private isBlocked({ lane }: Port): boolean {
    return this.aligner !== undefined && lane >= 0 && this.aligner.isBlocked(lane);
  }

  private reached(port: Port, { epoch, elements, isEnd }: Barrier): void {
    if (port.elements !== elements)
      throw new LostElementsError(`${elements} elements were sent by ${port.from}, but ${port.elements} have come`);
    if (isEnd && port.epoch !== epoch)
      throw new LostElementsError(`the barrier of epoch ${epoch} was sent by ${port.from}, but has not come`);
    port.epoch = epoch;
    if (isEnd) return; // the watermark behind it says so
    const aligner = this.alignerOfAll();
    const lagged = aligner.hasLagging;
    aligner.reached(port.lane, epoch);
    if (aligner.isBlocked(port.lane)) this.waiting -= port.waiting;
    if (lagged && !aligner.hasLagging) this.onCaughtUp();
  }

  private isOver({ lane }: Port): void {
    const aligner = this.alignerOfAll();
    const lagged = aligner.hasLagging;
    aligner.over(lane);
    if (lagged && !aligner.hasLagging) this.onCaughtUp();
  }

  private alignerOfAll(): BarrierAligner {
    return (this.aligner ??= new BarrierAligner(this.lanes));
  }
}

/** I4 */
function replaces(watermark: Timestamp, waiting: Frame): boolean {
  return typeof waiting === "number" && (watermark !== IDLE || waiting === IDLE);
}
