import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from "../../portability/values/index.js";
import { ElementBatch } from "./element-batch.js";
import type { Pick } from "./shuffle.js";
import { IDLE, WatermarkCoalescer } from "./watermark-coalescer.js";

/** A batch that is decoded when its turn comes. */
export interface EncodedBatch {
  readonly bytes: number;
  decode(): ElementBatch;
}

/** One input channel as the receiving task sees it. */
class Port {
  /** Batches and watermarks in the order of their sending. */
  readonly frames: (ElementBatch | EncodedBatch | Timestamp)[] = [];
  /** Index of the oldest frame; the ones before it are gone. */
  first = 0;
  /** The watermark taken last. */
  watermark: Timestamp = MIN_TIMESTAMP;

  constructor(
    readonly returnCredits: (bytes: number) => void,
    /** The task at the other end, for people. */
    readonly from: string,
  ) {}

  take(): ElementBatch | EncodedBatch | Timestamp | undefined {
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
 */
export class Inbox {
  /** Told when something arrives at an inbox that was empty. */
  onArrival: () => void = () => {};
  /** Which channel is looked at next, where they do not take turns. */
  pick: Pick | undefined;
  /** Bytes waiting or being processed. */
  queuedBytes = 0;
  /** Bytes that have been taken so far. */
  bytesTaken = 0;
  private readonly ports: Port[] = [];
  private coalescer: WatermarkCoalescer | undefined;
  private waiting = 0;
  private next = 0;
  private takenPort: Port | undefined;
  private takenBytes = 0;

  /** Adds an input channel; all of them must be there before the first frame. */
  addPort(returnCredits: (bytes: number) => void, from = ""): number {
    return this.ports.push(new Port(returnCredits, from)) - 1;
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

  /** The next batch, or undefined if there is none or a watermark has moved first: look at {@link watermark}. */
  take(): ElementBatch | undefined {
    const { ports } = this;
    const coalescer = (this.coalescer ??= new WatermarkCoalescer(ports.length));
    if (this.pick !== undefined) this.next = this.pick(ports.length);
    while (this.waiting > 0) {
      const port = ports[this.next];
      const frame = port.take();
      if (frame === undefined) {
        this.next = this.next + 1 === ports.length ? 0 : this.next + 1;
        continue;
      }
      this.waiting--;
      if (typeof frame === "number") {
        port.watermark = frame;
        if (coalescer.observe(this.next, frame)) return undefined; // I1
        continue;
      }
      coalescer.activate(this.next);
      this.takenPort = port;
      this.takenBytes = frame.bytes;
      this.next = this.next + 1 === ports.length ? 0 : this.next + 1;
      return frame instanceof ElementBatch ? frame : frame.decode();
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

  private arrive(port: number, frame: ElementBatch | EncodedBatch | Timestamp): void {
    this.ports[port].frames.push(frame);
    if (this.waiting++ === 0) this.onArrival();
  }
}

/** I4 */
function replaces(watermark: Timestamp, waiting: ElementBatch | EncodedBatch | Timestamp): boolean {
  return typeof waiting === "number" && (watermark !== IDLE || waiting === IDLE);
}
