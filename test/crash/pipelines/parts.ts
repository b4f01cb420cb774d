// What the pipelines of the crash test share: where elements come from, and where their results go.
import { renameSync, writeFileSync } from "node:fs";
import {
  global,
  groupByKey,
  map,
  option,
  sequence,
  windowInto,
  withKeys,
  type PCollection,
  type Pipeline,
  type PTransform,
} from "beamstorm";

export const options = {
  count: option.int({ default: 3000, min: 1, help: "how many elements there are" }),
  rate: option.int({ default: 1500, min: 1, help: "how many of them come in a second" }),
  output: option.string({ help: "file to write the results to" }),
};

/** Milliseconds of event time from one element to the next. */
export const STEP = 10;

export interface Given {
  readonly count: number;
  readonly rate: number;
}

/** The numbers below `count`, each {@link STEP} behind the one before. What a run did not live to see it does not make up for. */
export const numbers = ({ count, rate }: Given, name = "numbers"): PTransform<Pipeline, PCollection<number>> =>
  sequence({ name, to: count, perSecond: rate, timestampOf: (n) => n * STEP, catchUpMs: 50 });

/** Writes all results, once all of them are there, sorted: whoever writes them again writes the same, and one that came twice is there twice. */
export function writeResults(file: string): PTransform<PCollection<string>, unknown> {
  return {
    defaultName: "write results",
    expand: (results) =>
      results
        .apply(windowInto(global()))
        .apply(withKeys(() => "all"))
        .apply(groupByKey())
        .apply(
          map("write", ({ value }) => {
            const temporary = `${file}.${process.pid}`;
            writeFileSync(temporary, `${[...value].sort().join("\n")}\n`);
            renameSync(temporary, file);
          }),
        ),
  };
}

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** The elements by a key of each, keys in order of appearance. */
export function grouped<T, K>(elements: readonly T[], keyOf: (element: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const element of elements) groups.set(keyOf(element), [...(groups.get(keyOf(element)) ?? []), element]);
  return groups;
}

export const sum = (some: readonly number[]): number => some.reduce((a, b) => a + b, 0);
