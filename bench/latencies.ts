import type { Percentiles } from "./work.js";

/** Delays of one run, from which percentiles are taken. */
export class Latencies {
  private readonly delays: number[] = [];

  /** Called before what takes time, so that nothing of a run is in memory yet. */
  clear(): void {
    this.delays.length = 0;
  }

  record(ms: number): void {
    this.delays.push(ms);
  }

  percentiles(): Percentiles {
    const sorted = Float64Array.from(this.delays).sort();
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
    return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
  }
}
