import { ExitCode } from "./exit-codes.js";

const WATCHED = ["SIGINT", "SIGTERM"] as const;
type Watched = (typeof WATCHED)[number];

/** Ctrl-C and its like: the first one asks for an orderly end, the second one ends the process at once. */
export class Signals {
  private received: Watched | undefined;
  private stop: () => void = () => {};
  private readonly listener = (signal: NodeJS.Signals): void => {
    if (this.received !== undefined) process.exit(exitCodeOf(signal as Watched));
    this.received = signal as Watched;
    this.stop();
  };

  constructor() {
    this.watch();
  }

  /** Hears signals from now on, if it did not already. */
  watch(): void {
    for (const signal of WATCHED) if (!process.listeners(signal).includes(this.listener)) process.on(signal, this.listener);
  }

  /** Calls `stop` at the first signal, or now if there has been one. */
  onFirst(stop: () => void): void {
    this.stop = stop;
    if (this.received !== undefined) stop();
  }

  get exitCode(): number {
    return exitCodeOf(this.received ?? "SIGINT");
  }

  /** From now on signals do what they do by default: end the process. */
  release(): void {
    for (const signal of WATCHED) process.off(signal, this.listener);
  }
}

const exitCodeOf = (signal: Watched): number => (signal === "SIGINT" ? ExitCode.CANCELLED : ExitCode.TERMINATED);
