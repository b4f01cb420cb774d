/** Elements after which the clock is read, at most. */
const MAX_STRIDE = 512;

/**
 * Tells a task when its turn or its bundle is over without reading the clock for every element.
 *
 * The stride between two readings follows the speed of the elements: it doubles while they pass in less than a quarter
 * millisecond and shrinks when they take more than one, so that both fast and slow user code is interrupted in time.
 */
export class Pacer {
  private deadline = 0;
  private bundleEnd = Infinity;
  private stride = 1;
  private untilReading = 1;
  private lastReading = 0;
  private isOver = false;

  /** A turn starts, to end by `deadline` in terms of performance.now(); gives that time. */
  startTurn(deadline: number): number {
    this.deadline = deadline;
    this.isOver = false;
    return (this.lastReading = performance.now());
  }

  /** A bundle starts, to last for so many milliseconds. */
  startBundle(ms: number): void {
    this.bundleEnd = this.lastReading + ms;
  }

  /** Counts an element; true if the loop should look at turn and bundle. */
  tick(): boolean {
    return --this.untilReading <= 0 && this.read();
  }

  /** Reads the clock, for what may take any time, in a turn or not. */
  look(): void {
    this.read();
  }

  /** Whether the turn is over, as of the last reading of the clock, or of a new one now and then. */
  overtime(): boolean {
    if (this.isOver) return true;
    this.tick();
    return this.isOver;
  }

  /** Whether the bundle has lasted long enough, as of the last reading. */
  bundleIsOver(): boolean {
    return this.lastReading >= this.bundleEnd;
  }

  private read(): boolean {
    const now = performance.now();
    const elapsed = now - this.lastReading;
    if (elapsed < 0.25) this.stride = Math.min(this.stride * 2, MAX_STRIDE);
    else if (elapsed > 1) this.stride = Math.max(1, this.stride >> 2);
    this.lastReading = now;
    this.untilReading = this.stride;
    this.isOver = now >= this.deadline;
    return this.isOver || now >= this.bundleEnd;
  }
}
