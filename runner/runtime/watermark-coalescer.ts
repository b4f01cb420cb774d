import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from "../../portability/values/index.js";

/**
 * The input watermark of a task: the minimum over its input channels.
 *
 * - W1. It never moves back: a channel that reports an older watermark than before is not heard.
 * - W2. Without channels it is {@link MAX_TIMESTAMP}: nothing will ever come.
 *
 * The minimum is recomputed only when the channel that held it back has moved.
 */
export class WatermarkCoalescer {
  private readonly channels: Float64Array;
  private minimum: Timestamp;

  constructor(channelCount: number) {
    this.channels = new Float64Array(channelCount).fill(MIN_TIMESTAMP);
    this.minimum = channelCount === 0 ? MAX_TIMESTAMP : MIN_TIMESTAMP;
  }

  get watermark(): Timestamp {
    return this.minimum;
  }

  /** The watermark of one channel. */
  ofChannel(channel: number): Timestamp {
    return this.channels[channel];
  }

  /** Takes a channel's new watermark; true if the minimum has moved. */
  observe(channel: number, watermark: Timestamp): boolean {
    const before = this.channels[channel];
    if (watermark <= before) return false; // W1
    this.channels[channel] = watermark;
    if (before > this.minimum) return false;
    let minimum = MAX_TIMESTAMP;
    for (const each of this.channels) if (each < minimum) minimum = each;
    if (minimum === this.minimum) return false;
    this.minimum = minimum;
    return true;
  }
}
