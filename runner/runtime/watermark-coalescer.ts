import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from "../../portability/values/index.js";

/**
 * In the place of a watermark: the channel has had nothing for a while and is not to be waited for. It is none: whatever comes next, an
 * element or a watermark, makes the channel active again.
 */
export const IDLE: Timestamp = Infinity;

/**
 * The input watermark of a task: the minimum over its input channels.
 *
 * - W1. It never moves back: a channel that reports an older watermark than before is not heard.
 * - W2. Without channels it is {@link MAX_TIMESTAMP}: nothing will ever come.
 * - W3. Idle channels are left out. When all that are open are idle, it is the greatest of theirs, so that it does not matter which was idle first.
 * - W4. It is {@link MAX_TIMESTAMP} only when all channels are there: an idle one may have something yet.
 * - W5. A channel that is active again is waited for again, from where it was; what it has behind the watermark is late.
 *
 * The minimum is recomputed only when the channel that held it back has moved.
 */
export class WatermarkCoalescer {
  private readonly channels: Float64Array;
  private readonly idle: Uint8Array;
  private idleCount = 0;
  private minimum: Timestamp;

  /** @param start where all channels are */
  constructor(channelCount: number, start: Timestamp = MIN_TIMESTAMP) {
    this.channels = new Float64Array(channelCount).fill(start);
    this.idle = new Uint8Array(channelCount);
    this.minimum = channelCount === 0 ? MAX_TIMESTAMP : start;
  }

  get watermark(): Timestamp {
    return this.minimum;
  }

  /** Whether some channels are idle, and all others at their end. */
  get isIdle(): boolean {
    if (this.idleCount === 0) return false;
    for (let i = 0; i < this.channels.length; i++) if (this.idle[i] === 0 && this.channels[i] < MAX_TIMESTAMP) return false;
    return true;
  }

  /** The watermark of one channel. */
  ofChannel(channel: number): Timestamp {
    return this.channels[channel];
  }

  /** Takes a channel's new watermark, or that it is {@link IDLE}; true if the minimum has moved. */
  observe(channel: number, watermark: Timestamp): boolean {
    if (watermark === IDLE) return this.becameIdle(channel);
    this.activate(channel);
    const before = this.channels[channel];
    if (watermark <= before) return false; // W1
    this.channels[channel] = watermark;
    return before <= this.minimum && this.recompute();
  }

  /** The channel has an element. */
  activate(channel: number): void {
    if (this.idle[channel] === 0) return;
    this.idle[channel] = 0;
    this.idleCount--;
  }

  private becameIdle(channel: number): boolean {
    if (this.idle[channel] === 1 || this.channels[channel] === MAX_TIMESTAMP) return false;
    this.idle[channel] = 1;
    this.idleCount++;
    return this.recompute();
  }

  private recompute(): boolean {
    let active = MAX_TIMESTAMP;
    let idle = MIN_TIMESTAMP;
    for (let i = 0; i < this.channels.length; i++) {
      const each = this.channels[i];
      if (this.idle[i] === 1) idle = Math.max(idle, each);
      else if (each < active) active = each;
    }
    const minimum = active === MAX_TIMESTAMP && this.idleCount > 0 ? idle : active; // W3, W4
    if (minimum <= this.minimum) return false; // W5
    this.minimum = minimum;
    return true;
  }
}
