// What a measurement is made of.

/** One way to do a work: ours, a hand-written loop, or a peer. */
export interface Side {
  readonly name: string;
  /** Share of the work's size that this side is given, where it would take too long otherwise; rates stay comparable. */
  readonly share?: number;
  /** Name of the side that this one is a yardstick for; default the first. */
  readonly peerOf?: string;
  /** Does the work once. @throws when the result is wrong. */
  run(size: number): Promise<void> | void;
  /** Looks at what the last run has made, where that takes too long to be part of the run. @throws when the result is wrong. */
  check?(size: number): void;
  /** False for a peer that is not installed. */
  isThere?(): boolean;
  /** Seconds that the last run took, where not all of it counts. */
  seconds?(): number;
  /** Delays in the last run, where that is what is measured. */
  latency?(): Percentiles;
}

/** Delays, in milliseconds. */
export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Something that several sides do. */
export interface Work {
  readonly title: string;
  readonly unit: string;
  /** What the first side has to reach, in words. */
  readonly target: string;
  readonly size: number;
  readonly quickSize: number;
  /** Size of the run that warms up, before the one that counts. */
  readonly warmUpSize: number;
  readonly sides: readonly Side[];
  /** Makes what all sides read, for the given sizes. */
  prepare?(sizes: readonly number[]): Promise<void>;
  /** What to say besides of a side's result. */
  comment?(measured: Measured): string;
}

/** What one process found out about one side. */
export interface Measured {
  readonly size: number;
  readonly seconds: number;
  readonly rate: number;
  /** Cores that this process and its children used, on average. */
  readonly cores: number;
  /** Cores that everything else on the machine used. */
  readonly othersCores: number;
  /** Highest resident memory, of all processes of the side together, in bytes. */
  readonly residentBytes: number;
  /** The same before the first run. */
  readonly idleBytes: number;
  readonly load: number;
  readonly latency?: Percentiles;
}

/** @throws when a side has not done what it should have. */
export function expectEqual(actual: number | undefined, expected: number, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${actual} instead of ${expected}`);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
