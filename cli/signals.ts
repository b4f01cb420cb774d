import { ExitCode } from "./exit-codes.js";

const WATCHED = ["SIGINT", "SIGTERM"] as const;
type Watched = (typeof WATCHED)[number];

/** What signals ask of a run. */
export interface Signalled {
  /** To end with complete output; undefined for a run that comes to its end by itself. */
  readonly drain: (() => void) | undefined;
  readonly cancel: () => void;
}

/**
 * Ctrl-C and its like. SIGTERM drains a run that has no end of its own; SIGINT, or a second signal of any kind, cancels; one more ends the process at once.
 */
export class Signals {
  /** Signals that came before there was a run: one at most, the second ends the process. */
  private early: Watched | undefined;
  private run: Signalled | undefined;
  private drains = false;
  private cancelledBy: Watched | undefined;
  private readonly listener = (signal: NodeJS.Signals): void => this.hear(signal as Watched);

  constructor() {
    this.watch();
  }

  /** Hears signals from now on, if it did not already. */
  watch(): void {
    for (const signal of WATCHED) if (!process.listeners(signal).includes(this.listener)) process.on(signal, this.listener);
  }

  /** Tells a run what signals ask of it, and of one that has come before. */
  tell(run: Signalled): void {
    this.run = run;
    if (this.early !== undefined) this.hear(this.early);
  }

  /** Of a command that was cancelled. */
  get exitCode(): number {
    return exitCodeOf(this.cancelledBy ?? "SIGINT");
  }

  /** From now on signals do what they do by default: end the process. */
  release(): void {
    for (const signal of WATCHED) process.off(signal, this.listener);
  }

  private hear(signal: Watched): void {
    const { run } = this;
    if (this.cancelledBy !== undefined || (run === undefined && this.early !== undefined)) process.exit(exitCodeOf(signal));
    if (run === undefined) this.early = signal;
    else if (signal === "SIGTERM" && run.drain !== undefined && !this.drains) {
      this.drains = true;
      run.drain();
    } else {
      this.cancelledBy = signal;
      run.cancel();
    }
  }
}

const exitCodeOf = (signal: Watched): number => (signal === "SIGINT" ? ExitCode.CANCELLED : ExitCode.TERMINATED);
