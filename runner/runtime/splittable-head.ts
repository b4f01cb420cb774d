import { MAX_TIMESTAMP, type Receiver, type Timestamp } from "../../portability/values/index.js";
import type { HeadOperator, PeerSide } from "./head.js";
import type { PeerTasks } from "./peer-tasks.js";
import type { Residuals, WaitingResidual } from "./residuals.js";

/**
 * The head of a stage that begins with a splittable transform: lets elements pass, and delivers again what bundles leave undone of them.
 *
 * - S1. What becomes due waits for the next turn, so that what is left of this one is for the input; what was due when a turn began goes before
 *   the input. So neither restrictions that never end nor input that never ends keep the other, or the watermark, from moving.
 * - S2. The output watermark waits for the watermark of each restriction that is not done.
 * - S3. The task is not done before they are; they wait for processing time also when the input is over.
 * - S4. Other tasks that ask are given what waits here besides what the task itself goes on with; else a half of that, split off where it is. Only
 *   what a bundle has cut short is split: not what is done sooner than that, nor what goes by the clock.
 * - S5. A task that has nothing, and gets nothing but from other tasks, does not hold back the watermark: it goes with theirs.
 */
export class SplittableHead implements HeadOperator, PeerSide {
  readonly relays = true;
  /** What is due and not delivered is in snapshots like the rest. */
  readonly mayFreeze = true;
  readonly droppedLate = 0;
  readonly droppedClosed = 0;
  /** Being delivered, the next one last. */
  private ready: WaitingResidual[] = [];
  /** Whether something is due that waits for the next turn (S1). */
  private isCalled = false;
  /** Whether what was delivered last may be split (S4). */
  private isShareable = false;
  private isInputOver = false;
  readonly process: Receiver;

  constructor(
    private readonly residuals: Residuals,
    private readonly stage: Receiver,
    /** Gives the task another turn. */
    private readonly wake: () => void,
    private readonly others?: PeerTasks,
  ) {
    this.process =
      others === undefined
        ? stage
        : (value, meta) => {
            this.isShareable = false;
            stage(value, meta);
          };
  }

  get peers(): PeerSide | undefined {
    return this.others === undefined ? undefined : this;
  }

  hear(): void {
    this.others!.hear();
    this.dealOut();
  }

  rest(isInputOver: boolean): void {
    this.isShareable = false;
    this.others!.rest(isInputOver);
  }

  /** S5 */
  passOn(): void {
    this.others!.passOn();
  }

  /** S4 */
  shouldShare(): boolean {
    if (!this.isShareable || !this.others!.isAsked) return false;
    this.isShareable = false;
    return true;
  }

  atBarrier(epoch: number): boolean {
    return this.others?.passBarrier(epoch) === true;
  }

  get isLagging(): boolean {
    return this.others?.isLagging === true;
  }

  end(): void {
    this.others!.end();
  }

  /** S4: one stays, for this task. */
  private dealOut(): void {
    const { others, residuals, ready } = this;
    while (others!.isAsked) {
      if (ready.length < 2) {
        const next = residuals.takeDue(ready.length === 0);
        if (next === undefined) return;
        ready.unshift(next);
        if (ready.length < 2) continue;
      }
      if (!others!.mayGive(ready[0])) return;
      others!.give(ready.shift()!);
    }
  }

  /** S1 */
  poll(): void {
    if (!this.isCalled) return;
    this.isCalled = false; // also where others have been dealt something meanwhile: what is due behind what stays calls again
    if (this.ready.length === 0) this.ready = this.residuals.due().reverse();
  }

  advance(watermark: Timestamp): void {
    this.isInputOver = watermark === MAX_TIMESTAMP;
  }

  get deadline(): number {
    return this.isCalled ? Infinity : this.residuals.nextDue;
  }

  advanceTime(): void {
    this.isCalled = true;
    this.wake();
  }

  get draining(): boolean {
    return this.ready.length > 0;
  }

  drain(pause: () => boolean): boolean {
    while (this.ready.length > 0) {
      if (pause()) return false;
      const residual = this.ready.pop()!;
      this.residuals.taken(residual);
      this.isShareable = !residual.isPaced;
      this.stage(residual.value, residual.meta);
    }
    return true;
  }

  /** S2, S5 */
  hold(): Timestamp {
    const { residuals, others } = this;
    if (others === undefined) return residuals.hold();
    const rests = this.isInputOver && residuals.size === 0;
    return Math.min(residuals.hold(), others.hold(), rests ? others.pace() : MAX_TIMESTAMP);
  }

  /** S3 */
  get waitsFor(): string | undefined {
    const { size } = this.residuals;
    if (size === 0) return this.others === undefined || this.others.hasEnded ? undefined : "work of the other tasks";
    return size === 1 ? "a restriction that is gone on with later" : `${size} restrictions that are gone on with later`;
  }

  committed(): void {
    this.isShareable = false;
    this.residuals.commit();
    if (this.others?.isAsked === true) this.dealOut();
  }

  rolledBack(): void {
    this.isShareable = false;
    this.residuals.rollback();
  }

  beginDrain(): void {
    this.residuals.drain();
    this.wake();
  }
}
