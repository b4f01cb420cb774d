// Notices that a harness has hung.
//
// Time is counted in looks at it, not by the clock: a machine that was asleep, or busy, has not looked meanwhile.
//
// L1. A harness with work to do that says nothing is asked; if it does not answer that either it is lost.
// L2. One that answers, but does nothing with its work, is left alone: a function may take its time. It is told once what it is at. One whose bundles
//     get further, though they have no result yet, is not even told (bundle-progress.ts P3).

/** Looks within the time that a harness may be silent. */
const LOOKS = 4;

export interface WatchedHarness {
  /** Whether a bundle is under way. */
  readonly hasWork: boolean;
  /** Asks for something that it must answer at once. */
  ask(): void;
  /** It has not answered for as long as it may (L1). */
  silent(): void;
  /** Nothing of its work has moved for as long (L2). */
  stuck(): void;
}

export class HarnessWatch {
  private readonly timer: NodeJS.Timeout;
  private looksUnheard = 0;
  private looksUnmoved = 0;

  constructor(
    private readonly harness: WatchedHarness,
    silenceMs: number,
  ) {
    this.timer = setInterval(() => this.look(), silenceMs / LOOKS);
    this.timer.unref();
  }

  /** It has said something. */
  heard(): void {
    this.looksUnheard = 0;
  }

  /** Its work goes on: it has sent elements, or asked for some, or has finished, or says that it has got further. */
  moved(): void {
    this.looksUnheard = 0;
    this.looksUnmoved = 0;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const { harness } = this;
    if (!harness.hasWork) return this.moved();
    this.looksUnheard++;
    this.looksUnmoved++;
    if (this.looksUnheard > LOOKS) return harness.silent();
    if (this.looksUnmoved === LOOKS) harness.stuck();
    harness.ask();
  }
}
