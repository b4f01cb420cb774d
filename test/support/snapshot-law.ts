// The law of snapshots: tasks that are frozen at any moment, written down bit by bit while they work on, and taken back by another number
// of tasks go on exactly as one task does that nothing has happened to.
import assert from "node:assert/strict";
import fc from "fast-check";
import { MIN_TIMESTAMP } from "../../portability/values/index.js";
import { SectionMerger, SectionWriter, type SnapshotPart } from "../../runner/snapshot/index.js";
import { taskOfKeyGroup } from "../../runner/store/index.js";

/** A task under test: it keeps the state of some keys, and tells what comes of each step. */
export interface LawfulTask<Step> {
  readonly part: SnapshotPart;
  take(step: Step): string[];
  /** What it holds the output watermark at. */
  hold(): number;
  /** It was restored as it was at this watermark. */
  goOnFrom(watermark: number): void;
}

/** What the tasks of a law share. */
export interface Times {
  watermark: number;
  now: number;
}

export interface Lawful<Step> {
  readonly groups: number;
  /** The key group of whoever takes the step; undefined if all tasks do. */
  groupOf(step: Step): number | undefined;
  /** What the step does to the times, before it is taken. */
  move(step: Step, times: Times): void;
  newTask(times: Times): LawfulTask<Step>;
}

export type Disturbance =
  { readonly kind: "freeze" } | { readonly kind: "write"; readonly records: number } | { readonly kind: "restore"; readonly tasks: number };

export const disturbance: fc.Arbitrary<Disturbance> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ kind: "freeze" as const }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("write" as const), records: fc.constantFrom(1, 2, 1000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("restore" as const), tasks: fc.integer({ min: 1, max: 3 }) }) },
);

interface Section {
  readonly group: number;
  readonly bytes: Uint8Array;
}

/** A snapshot that is being written. */
interface Taking {
  readonly sections: Section[];
  readonly open: { readonly part: SnapshotPart; readonly writer: SectionWriter }[];
  readonly times: Times;
  readonly at: number;
}

class Cluster<Step> {
  readonly times: Times = { watermark: MIN_TIMESTAMP, now: 0 };
  tasks: LawfulTask<Step>[];

  constructor(
    private readonly lawful: Lawful<Step>,
    count: number,
  ) {
    this.tasks = Array.from({ length: count }, () => lawful.newTask(this.times));
  }

  take(step: Step): string[] {
    const { lawful, tasks } = this;
    lawful.move(step, this.times);
    const group = lawful.groupOf(step);
    const takers = group === undefined ? tasks : [tasks[taskOfKeyGroup(lawful.groups, tasks.length)[group]]];
    return [...takers.flatMap((task) => task.take(step)).sort(), `hold ${Math.min(...tasks.map((task) => task.hold()))}`];
  }
}

/** @throws if the law does not hold */
export function checkSnapshots<Step>(lawful: Lawful<Step>, steps: readonly (Step | Disturbance)[]): void {
  const whole = new Cluster(lawful, 1);
  let cluster = new Cluster(lawful, 2);
  const told: { readonly step: Step; readonly lines: readonly string[] }[] = [];
  const snapshots: (readonly Section[])[] = [];
  let taken: Pick<Taking, "times" | "at"> = { times: { ...whole.times }, at: 0 };
  let taking: Taking | undefined;

  const freeze = (): void => {
    if (taking !== undefined) return;
    const sections: Section[] = [];
    const open = cluster.tasks.map(({ part }) => {
      const writer = new SectionWriter((group, bytes) => sections.push({ group, bytes: Uint8Array.from(bytes) }));
      part.freeze(writer, snapshots.length + 1);
      return { part, writer };
    });
    taking = { sections, open, times: { ...cluster.times }, at: told.length };
  };
  const write = (records: number): void => {
    if (taking === undefined) return;
    for (const each of [...taking.open]) {
      if (!each.part.write(() => records-- <= 0)) return;
      each.writer.flush();
      taking.open.splice(taking.open.indexOf(each), 1);
    }
    snapshots.push(taking.sections);
    taken = taking;
    taking = undefined;
  };
  const restore = (tasks: number): void => {
    taking = undefined;
    cluster = new Cluster(lawful, tasks);
    Object.assign(cluster.times, taken.times);
    const owners = taskOfKeyGroup(lawful.groups, tasks);
    for (let group = 0; group < lawful.groups; group++) {
      const own = snapshots.map((sections) => sections.flatMap(({ group: of, bytes }) => (of === group ? [bytes] : [])));
      const { part } = cluster.tasks[owners[group]];
      if (part.restoreSections !== undefined) {
        part.restoreSections(
          own.map((some) => some.map((bytes) => ({ bytes }))),
          taken.times.watermark,
        );
        continue;
      }
      const merger = new SectionMerger();
      for (const sections of own) {
        merger.nextSnapshot();
        for (const bytes of sections) merger.add(bytes);
      }
      part.restore(merger.result, taken.times.watermark);
    }
    for (const task of cluster.tasks) {
      task.part.settle();
      task.goOnFrom(taken.times.watermark);
    }
    for (const { step, lines } of told.slice(taken.at)) assert.deepEqual(cluster.take(step), lines);
  };

  for (const step of steps)
    if (isDisturbance(step)) {
      if (step.kind === "freeze") freeze();
      else if (step.kind === "write") write(step.records);
      else restore(step.tasks);
    } else {
      const lines = whole.take(step);
      assert.deepEqual(cluster.take(step), lines);
      told.push({ step, lines });
    }
}

function isDisturbance<Step>(step: Step | Disturbance): step is Disturbance {
  const { kind } = step as Disturbance;
  return kind === "freeze" || kind === "write" || kind === "restore";
}
