import { crashPoint, type PieceRef, type PieceWriter, type TaskMark } from "../checkpoint/index.js";
import type { TaskCounts } from "../runtime/index.js";
import { NO_GROUP, SectionWriter, SHARED_GROUP, WriterPool, type SnapshotPart } from "../snapshot/index.js";

/** Milliseconds of writing after which everything else on the event loop has its chance: as much as tasks take, so that neither starves. */
const SLICE_MS = 10;
/** Records between two looks at the clock. */
const LOOK_EVERY = 16;

/** A task, as far as snapshots go. */
export interface SnapshotTask {
  readonly id: string;
  /** Of its component, by which others of the component find its state by key. */
  readonly component: string;
  readonly index: number;
  readonly parts: readonly SnapshotPart[];
  /** Those of them that are frozen once more when all of the epoch has come. */
  readonly late: readonly SnapshotPart[];
  mark(): TaskMark;
  counts(): TaskCounts;
}

/** What a worker has of an epoch. */
export interface WorkerSnapshot {
  readonly epoch: number;
  /** Undefined where nothing has changed. */
  readonly piece: PieceRef | undefined;
  readonly tasks: readonly TaskMark[];
  readonly counts: readonly TaskCounts[];
}

/**
 * Takes down one epoch of all tasks of a worker: freezes each when it is at its barrier, and writes what was frozen while the tasks work on.
 *
 * - W1. It is complete when every task has been frozen, all that it had to wait for has come, and everything is on the disk.
 * - W2. Writing takes a slice of the event loop at a time, and waits where the disk does not follow.
 */
export class TaskSnapshots {
  private readonly missing: Set<string>;
  private readonly frozen = new Set<string>();
  private readonly marks: TaskMark[] = [];
  private readonly counts: TaskCounts[] = [];
  private readonly queue: { readonly part: SnapshotPart; readonly sections: SectionWriter }[] = [];
  private wake: () => void = () => {};
  private abandoned = false;
  private isComplete = false;

  constructor(
    readonly epoch: number,
    tasks: readonly SnapshotTask[],
    private readonly piece: PieceWriter,
    /** Of the worker, for all epochs. */
    private readonly pool = new WriterPool(),
  ) {
    this.missing = new Set(tasks.map(({ id }) => id));
  }

  /** The task is at its barrier; all of its parts are frozen when it returns. */
  freeze(task: SnapshotTask, lags: boolean): void {
    if (this.frozen.has(task.id)) return;
    this.frozen.add(task.id);
    if (!lags) this.missing.delete(task.id);
    for (const part of task.parts) this.freezePart(task, part);
    this.marks.push(task.mark());
    this.counts.push(task.counts());
    crashPoint("frozen");
    this.wake();
  }

  /** All of the epoch has come to the task. */
  caughtUp(task: SnapshotTask): void {
    if (!this.missing.delete(task.id)) return;
    for (const part of task.late) {
      while (!part.write(() => false)); // what it was frozen for first: little, if not written yet
      this.freezePart(task, part);
    }
    this.wake();
  }

  /** Resolves when it is complete (W1). */
  async take(): Promise<WorkerSnapshot> {
    for (;;) {
      const next = this.queue.shift();
      if (next !== undefined) await this.write(next.part, next.sections);
      else if (this.missing.size === 0) break;
      else await new Promise<void>((resolve) => (this.wake = resolve));
      if (this.abandoned) throw new Error(`epoch ${this.epoch} is given up`);
    }
    const { epoch, piece, marks: tasks, counts } = this;
    let ref: PieceRef | undefined;
    if (piece.isEmpty) await piece.abandon();
    else ref = await piece.finish();
    this.isComplete = true;
    return { epoch, piece: ref, tasks, counts };
  }

  /** For people: what it waits for, if it is not complete. */
  get waitsFor(): readonly string[] {
    if (this.isComplete) return [];
    return this.missing.size > 0 ? [...this.missing] : ["the disk"];
  }

  /** Leaves nothing behind. */
  async abandon(): Promise<void> {
    this.abandoned = true;
    this.wake();
    await this.piece.abandon();
  }

  private freezePart(task: SnapshotTask, part: SnapshotPart): void {
    const sections = new SectionWriter((of, bytes) => {
      const group = part.isShared === true ? SHARED_GROUP : of;
      this.piece.add({ part: partName(task, part.name, group), group }, bytes);
    }, this.pool);
    part.freeze(sections, this.epoch);
    this.queue.push({ part, sections });
  }

  /** W2 */
  private async write(part: SnapshotPart, sections: SectionWriter): Promise<void> {
    const { piece } = this;
    for (;;) {
      const end = performance.now() + SLICE_MS;
      let records = 0;
      const pause = (): boolean => ++records % LOOK_EVERY === 0 && (piece.isBusy || performance.now() >= end);
      if (part.write(pause) || this.abandoned) break;
      if (piece.isBusy) await piece.drained();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    sections.flush();
  }
}

/** Under which name sections of a task's part are found: by the component for what belongs to keys or to all, else by the task. */
export function partName({ component, index }: Pick<SnapshotTask, "component" | "index">, part: string, group: number): string {
  return group === NO_GROUP ? `${component}/${part}@${index}` : `${component}/${part}`;
}
