import type { BundleParticipant } from "./bundle-participant.js";
import type { Clock } from "./clock.js";

/** A function to be called once a bundle is durable. */
export interface Finalizer {
  readonly callback: () => void | Promise<void>;
  /** Processing time from which on it is not called any more. */
  readonly expiresAt: number;
}

/**
 * What the bundles of a task want to have called when they are durable.
 *
 * - F1. A bundle is durable with its commit; or, where there are checkpoints, when the first epoch is published whose barrier is behind it. Not
 *   earlier: a run may go on from before it.
 * - F2. What a bundle that fails has asked for is forgotten; so is everything when the task's process ends.
 * - F3. They are called one after the other, in their order; {@link settled} is when none is under way. The first failure is told.
 */
export class Finalizers implements BundleParticipant {
  /** When none is being called. */
  settled: Promise<void> = Promise.resolve();
  private ofBundle: Finalizer[] = [];
  private committed: Finalizer[] = [];
  /** Behind their bundles is the barrier of an epoch that is not published yet; the oldest first. */
  private readonly ofEpochs: { readonly epoch: number; readonly finalizers: readonly Finalizer[] }[] = [];

  constructor(
    private readonly clock: Clock,
    /** Whether it takes an epoch for a bundle to be durable. */
    private readonly awaitsEpochs: boolean,
    private readonly failed: (error: unknown) => void,
  ) {}

  add(callback: () => void | Promise<void>, expireAfterMs: number): void {
    this.ofBundle.push({ callback, expiresAt: this.clock.now() + expireAfterMs });
  }

  begin(): void {}

  commit(): void {
    if (this.ofBundle.length === 0) return;
    const finalizers = this.ofBundle.splice(0);
    if (this.awaitsEpochs) this.committed.push(...finalizers);
    else this.call(finalizers);
  }

  /** F2 */
  rollback(): void {
    this.ofBundle = [];
  }

  /** The task is at the barrier of an epoch. */
  passBarrier(epoch: number): void {
    if (this.committed.length > 0) this.ofEpochs.push({ epoch, finalizers: this.committed.splice(0) });
  }

  /** F1 */
  published(epoch: number): void {
    while (this.ofEpochs.length > 0 && this.ofEpochs[0].epoch <= epoch) this.call(this.ofEpochs.shift()!.finalizers);
  }

  /** F3 */
  private call(finalizers: readonly Finalizer[]): void {
    this.settled = this.settled.then(() => this.callEach(finalizers));
  }

  private async callEach(finalizers: readonly Finalizer[]): Promise<void> {
    for (const { callback, expiresAt } of finalizers) {
      if (expiresAt <= this.clock.now()) continue;
      try {
        await callback();
      } catch (error) {
        this.failed(error);
      }
    }
  }
}
