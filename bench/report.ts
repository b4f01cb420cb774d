// What a reader sees.
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { median, type Measured, type Percentiles } from "./work.js";

export interface SideResult {
  readonly name: string;
  readonly peerOf?: string;
  readonly runs: readonly Measured[];
}

export interface Result {
  readonly name: string;
  readonly title: string;
  /** `seconds` for times, `latency` for delays; anything else is counted a second. */
  readonly unit: string;
  readonly target: string;
  readonly comment?: (measured: Measured) => string;
  readonly sides: readonly SideResult[];
}

export function printMachine(repetitions: number): void {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  console.log(`node ${process.version}, ${availableParallelism()} × ${cpu?.model ?? "?"}, ${memory} GiB, load ${loadavg()[0].toFixed(1)}`);
  console.log(`medians of ${repetitions}, each in a fresh process after a run that warms up; (lowest–highest)`);
}

export function printResult({ name, title, unit, target, comment, sides }: Result): void {
  console.log(`\n${name}: ${title}\n  target: ${target}`);
  const width = Math.max(...sides.map((side) => side.name.length));
  const paired = sides.some(({ peerOf }) => peerOf !== undefined);
  for (const side of sides) {
    if (unit === "latency") {
      printLatency(side, width);
      continue;
    }
    const measured = sides.find((each) => each.name === side.peerOf) ?? (paired ? side : sides[0]);
    const { figure, low, high, perCore, cores, othersCores, residentBytes, load, run } = summary(side, unit);
    const ratio = side === measured ? "" : `; ${measured.name} is ${ratioOf(middle(measured).rate / run.rate)} of this`;
    console.log(
      `  ${side.name.padEnd(width)}  ${figure} (${low}–${high}), ${cores.toFixed(2)} cores${unit === "seconds" ? "" : ` (${perCore} a core)`}, ${Math.round(residentBytes / 1e6)} MB; ` +
        `others ${othersCores.toFixed(2)} cores, load ${load.toFixed(1)}${comment === undefined ? "" : `; ${comment(run)}`}${ratio}`,
    );
  }
}

function printLatency(side: SideResult, width: number): void {
  const of = (key: keyof Percentiles): string => {
    const values = side.runs.map(({ latency }) => latency?.[key] ?? NaN).sort((a, b) => a - b);
    return `${inMillis(median(values))} (${inMillis(values[0])}–${inMillis(values[values.length - 1])})`;
  };
  const { cores, othersCores, residentBytes, load } = summary(side, "seconds");
  console.log(
    `  ${side.name.padEnd(width)}  median ${of("p50")} ms, 99 % ${of("p99")} ms, all ${of("max")} ms, ${cores.toFixed(2)} cores, ` +
      `${Math.round(residentBytes / 1e6)} MB; others ${othersCores.toFixed(2)} cores, load ${load.toFixed(1)}`,
  );
}

const inMillis = (ms: number): string => (ms < 10 ? ms.toPrecision(2) : ms.toFixed(0));

export function printJson(results: readonly Result[], coders: unknown): void {
  const plain = results.map((result) => ({
    name: result.name,
    unit: result.unit,
    target: result.target,
    sides: result.sides.map((side) => {
      const { cores, othersCores, residentBytes, load, run } = summary(side, result.unit);
      return {
        name: side.name,
        rate: run.rate,
        seconds: run.seconds,
        size: run.size,
        cores,
        othersCores,
        residentBytes,
        load,
        runs: side.runs,
      };
    }),
  }));
  console.log(JSON.stringify({ works: plain, coders }, undefined, 2));
}

function summary(side: SideResult, unit: string) {
  const of = (key: keyof Measured): number => median(side.runs.map((run) => run[key] as number));
  const rates = side.runs.map((run) => run.rate).sort((a, b) => a - b);
  const shown = rates.map((rate) => show(rate, unit));
  return {
    run: middle(side),
    figure: show(of("rate"), unit, true),
    low: shown[unit === "seconds" ? shown.length - 1 : 0],
    high: shown[unit === "seconds" ? 0 : shown.length - 1],
    perCore: show(median(side.runs.map((one) => one.rate / one.cores)), unit),
    cores: of("cores"),
    othersCores: of("othersCores"),
    residentBytes: of("residentBytes"),
    load: of("load"),
  };
}

/** The run with the median rate. */
function middle({ runs }: SideResult): Measured {
  return [...runs].sort((a, b) => a.rate - b.rate)[runs.length >> 1];
}

function show(rate: number, unit: string, withUnit = false): string {
  if (unit === "seconds") return `${(1 / rate).toFixed(2)}${withUnit ? " s" : ""}`;
  if (unit === "bytes") return `${rate < 1e7 ? (rate / 1e6).toPrecision(3) : (rate / 1e6).toFixed(0)}${withUnit ? " MB/s" : ""}`;
  return `${(rate / 1e6).toPrecision(3)}${withUnit ? ` M ${unit}/s` : ""}`;
}

function ratioOf(ratio: number): string {
  return ratio >= 2 ? `${ratio.toPrecision(2)} ×` : `${Math.round(ratio * 100)} %`;
}
