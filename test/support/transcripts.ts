// Beam's trigger transcripts: inputs, watermarks and what has to come out between them. What executes them is given by the test.
import { readFileSync } from "node:fs";
import { IntervalWindow, PaneTiming, type PaneInfo, type Timestamp, type Window } from "../../portability/values/index.js";
import type { Trigger } from "../../portability/windows/index.js";

/** A pane that has come out: its elements are their own timestamps. */
export interface Pane {
  readonly values: readonly number[];
  readonly window: Window;
  readonly timestamp: Timestamp;
  readonly pane: PaneInfo;
}

/** What a transcript is about: one key under this strategy. */
export interface TranscriptStrategy {
  readonly windows: { readonly kind: "global" } | { readonly kind: "fixed" | "sessions"; readonly ms: number };
  readonly trigger: Trigger;
  readonly timestampCombiner: "end-of-window" | "earliest" | "latest";
  /** Added to the timestamps that the combiner sees. */
  readonly shiftMs: number;
  readonly allowedLatenessMs: number;
  readonly panes: "discarding" | "accumulating";
}

export type Step =
  | { readonly input: readonly number[] }
  | { readonly watermark: number }
  | { readonly expect: readonly Expected[] }
  | { readonly state: { readonly present: Span[]; readonly absent: Span[]; readonly tombstone: Span[] } };

type Span = readonly [start: number, last: number];
interface Expected {
  readonly window: Span;
  readonly values?: readonly number[];
  readonly timestamp?: number;
  readonly index?: number;
  readonly nonspeculative_index?: number;
  readonly early?: boolean;
  readonly late?: boolean;
  readonly final?: boolean;
}

export interface Transcript {
  readonly name: string;
  readonly strategy: TranscriptStrategy;
  readonly steps: readonly Step[];
  /** What is wrong with it: it has to be found out. */
  readonly error: string | undefined;
}

interface Document {
  readonly name: string;
  readonly window_fn?: string;
  readonly trigger_fn?: string;
  readonly timestamp_combiner?: string;
  readonly allowed_lateness?: number;
  readonly accumulation_mode?: "discarding" | "accumulating";
  readonly error?: string;
  readonly transcript: readonly Step[];
}

export function transcripts(): Transcript[] {
  const file = new URL("../conformance/facts/trigger-transcripts.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as Document[]).map((document, i) => ({
    name: `${i + 1} ${document.name}${document.timestamp_combiner === undefined ? "" : ` ${document.timestamp_combiner}`}`,
    error: document.error,
    steps: document.transcript,
    strategy: {
      ...windowsOf(document.window_fn ?? "GlobalWindows"),
      trigger: triggerOf(document.trigger_fn ?? "Default"),
      timestampCombiner: combinerOf(document.timestamp_combiner ?? "OUTPUT_AT_EOW"),
      ...(document.timestamp_combiner?.endsWith("TRANSFORMED") === true ? { shiftMs: 100 } : {}),
      allowedLatenessMs: document.allowed_lateness ?? 0,
      panes: document.accumulation_mode ?? "accumulating",
    },
  }));
}

function windowsOf(text: string): Pick<TranscriptStrategy, "windows" | "shiftMs"> {
  const [, name, ms] = /^(\w+?)(?:WindowsWindowFn|Windows)?(?:\((\d+)\))?$/.exec(text) ?? [];
  if (name === "Global") return { windows: { kind: "global" }, shiftMs: 0 };
  return { windows: { kind: name === "Sessions" ? "sessions" : "fixed", ms: Number(ms) }, shiftMs: 0 };
}

function triggerOf(text: string): Trigger {
  if (text === "Default") return { kind: "default" };
  const count = /^AfterCount\((\d+)\)$/.exec(text);
  if (count !== null) return { kind: "element-count", count: Number(count[1]) };
  const part = (name: string): Trigger | undefined => {
    const found = new RegExp(`${name}=(AfterCount\\(\\d+\\))`).exec(text);
    return found === null ? undefined : triggerOf(found[1]);
  };
  if (text.startsWith("AfterWatermark(")) return { kind: "after-end-of-window", early: part("early"), late: part("late") };
  throw new Error(`the transcripts have a trigger that this test does not know: ${text}`);
}

function combinerOf(text: string): TranscriptStrategy["timestampCombiner"] {
  if (text.startsWith("OUTPUT_AT_EARLIEST")) return "earliest";
  return text === "OUTPUT_AT_LATEST" ? "latest" : "end-of-window";
}

/** Takes panes as they come, and compares them with what a transcript expects at that point. @throws Error */
export class TranscriptCheck {
  private pending: Pane[] = [];

  came(panes: readonly Pane[]): void {
    this.pending.push(...panes);
  }

  /** Before any step that is no expectation, and at the end. */
  nothingElse(): void {
    if (this.pending.length > 0) throw new Error(`Unexpected output: ${this.pending.map(describePane).join("; ")}`);
  }

  expect(expected: readonly Expected[]): void {
    for (const each of expected) {
      const at = this.pending.findIndex((pane) => matches(pane, each));
      if (at < 0) throw new Error(`Unmatched output: ${JSON.stringify(each)} among ${this.pending.map(describePane).join("; ")}`);
      this.pending.splice(at, 1);
    }
  }
}

export const spanOf = (window: Window): Span =>
  window instanceof IntervalWindow ? [window.start, window.maxTimestamp] : [-Infinity, window.maxTimestamp];

function matches({ values, window, timestamp, pane }: Pane, expected: Expected): boolean {
  const same = (actual: unknown, wanted: unknown): boolean => wanted === undefined || JSON.stringify(actual) === JSON.stringify(wanted);
  return (
    same(spanOf(window), expected.window) &&
    same(
      [...values].sort((a, b) => a - b),
      expected.values,
    ) &&
    same(timestamp, expected.timestamp) &&
    same(pane.index, expected.index) &&
    same(pane.nonSpeculativeIndex, expected.nonspeculative_index) &&
    same(pane.timing === PaneTiming.EARLY, expected.early) &&
    same(pane.timing === PaneTiming.LATE, expected.late) &&
    same(pane.isLast, expected.final)
  );
}

function describePane({ values, window, timestamp, pane }: Pane): string {
  return `${String(window)} [${values.join()}] at ${timestamp} ${JSON.stringify(pane)}`;
}
