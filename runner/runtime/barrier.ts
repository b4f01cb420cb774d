// Barriers of checkpoints (Chandy and Lamport 1985; Carbone et al., "Lightweight Asynchronous Snapshots for Distributed Dataflows", 2015).

/** Cuts a channel in two: what came before it belongs to the epoch, what comes behind it to the next one. */
export class Barrier {
  constructor(
    readonly epoch: number,
    /** Elements that the channel's sender has sent before it, from the start: so that the receiver sees if any were lost. */
    readonly elements: number,
    /** Whether it ends no epoch but the channel: nothing comes behind it, and its epoch is that of the last barrier before it, or 0. */
    readonly isEnd = false,
  ) {}
}

/** A channel has delivered another number of elements than were sent on it, or has not delivered a barrier. */
export class LostElementsError extends Error {
  override readonly name = "LostElementsError";
}

/**
 * Which of a task's input channels have come to the barrier of the epoch under way.
 *
 * - A1. An epoch is *aligned* when it has been asked for, by {@link request} or by a first barrier, and every channel has brought its barrier or
 *   is over. It stays so until {@link pass}.
 * - A2. A channel that has brought the barrier is *blocked* until {@link pass}: what is behind belongs to the next epoch.
 * - A3. One epoch is under way at a time: the next one is asked for when all tasks have passed the one before. Who asks once more for an epoch
 *   that is under way, or was passed, is not heard.
 * - A4. {@link overtake} aligns an epoch although channels have not brought its barrier: these *lag* from {@link pass} on until they bring it, or
 *   are over. What they bring before that belongs to the epoch that was passed.
 */
export class BarrierAligner {
  /** The epoch that is aligned (A1). */
  aligned: number | undefined;
  private epoch: number | undefined;
  private passed = 0;
  private missing: number;
  private lagging = 0;
  private readonly states: Uint8Array;

  constructor(channels: number) {
    this.states = new Uint8Array(channels);
    this.missing = channels;
  }

  /** A2 */
  isBlocked(channel: number): boolean {
    return this.states[channel] === BLOCKED;
  }

  /** A4 */
  lags(channel: number): boolean {
    return this.states[channel] === LAGGING;
  }

  /** Whether any channel lags. */
  get hasLagging(): boolean {
    return this.lagging > 0;
  }

  /** Whether channels are blocked because others have not brought the barrier. */
  get isHeldUp(): boolean {
    return this.epoch !== undefined && this.missing > 0 && this.aligned === undefined && this.states.includes(BLOCKED);
  }

  /** Whether the epoch is aligned although channels have not brought its barrier. */
  get isOvertaking(): boolean {
    return this.aligned !== undefined && this.missing > 0;
  }

  /** A4 */
  overtake(): void {
    this.aligned = this.epoch;
  }

  request(epoch: number): void {
    if (epoch <= this.passed || epoch === this.epoch) return; // A3
    if (this.epoch !== undefined) throw new Error(`epoch ${epoch} begins before epoch ${this.epoch} has been passed`);
    this.epoch = epoch;
    this.look();
  }

  /** The channel has brought a barrier. */
  reached(channel: number, epoch: number): void {
    if (this.states[channel] === LAGGING && epoch === this.passed) return this.caughtUp(channel);
    this.request(epoch);
    if (epoch !== this.epoch || this.states[channel] !== OPEN) return;
    this.states[channel] = BLOCKED;
    this.missing--;
    this.look();
  }

  /** Nothing more comes from the channel. */
  over(channel: number): void {
    const before = this.states[channel];
    if (before === LAGGING) this.lagging--;
    if (before === OPEN || before === LAGGING) this.missing--;
    this.states[channel] = OVER;
    this.look();
  }

  /** The aligned epoch is dealt with: blocked channels are open again. */
  pass(): void {
    this.passed = this.aligned ?? this.passed;
    this.epoch = undefined;
    this.aligned = undefined;
    for (let i = 0; i < this.states.length; i++) {
      if (this.states[i] === OPEN) {
        this.states[i] = LAGGING;
        this.lagging++;
      } else if (this.states[i] === BLOCKED) {
        this.states[i] = OPEN;
        this.missing++;
      }
    }
  }

  private caughtUp(channel: number): void {
    this.states[channel] = OPEN;
    this.lagging--;
  }

  private look(): void {
    if (this.epoch !== undefined && this.missing === 0) this.aligned = this.epoch;
  }
}

const OPEN = 0;
const BLOCKED = 1;
const OVER = 2;
const LAGGING = 3;
