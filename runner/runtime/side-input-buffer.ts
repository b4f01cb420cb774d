import type { SideInput } from "../../portability/stage-host/index.js";
import { kv, MAX_TIMESTAMP, MIN_TIMESTAMP, type KV, type Receiver, type Timestamp, type Window } from "../../portability/values/index.js";
import { sideInputWindow, type WindowFn } from "../../portability/windows/index.js";
import { WindowMap, type SpillingList, type Values } from "../store/index.js";
import type { SnapshotPart } from "../snapshot/index.js";
import { InstantQueue } from "../windows/index.js";
import type { HeadOperator } from "./head.js";
import { Inbox } from "./inbox.js";
import { SideInputSnapshot, type SideInputChange, type SideInputCoders } from "./side-input-snapshot.js";

/** What forms the panes of a side input: a grouping of all its elements under one key. */
export type Panes = Pick<HeadOperator, "process" | "advance" | "deadline" | "advanceTime" | "drain">;

export interface SideInputParts {
  readonly pcollection: string;
  /** Of the PCollection; undefined if it is not known: then no window is complete before everything is. */
  readonly windowFn: WindowFn | undefined;
  /** Makes the place for the elements of a window. */
  readonly newList: () => SpillingList<unknown>;
  /** Where windows have other panes than one at their end: what forms them, given what takes each with its values. */
  readonly panes?: (emit: Receiver) => Panes;
  /** How long behind its end a window of which there is no pane is known to have none; default 0. */
  readonly completeAfterMs?: number;
}

/** What there is of one window. */
interface Contents {
  list: SpillingList<unknown>;
  /** Its values that snapshots have; -1 if they have others, which a later pane has replaced. */
  saved: number;
}

/** A task that reads the side input. */
export interface SideInputReader {
  /** Nobody will ask for a window any more that ends before this. */
  needsFrom: Timestamp;
  /** Whether the task has passed the barrier that is here. */
  hasPassed: boolean;
}

const NOTHING: Values<unknown> = Object.freeze([]);

/**
 * A side input: what its PCollection has by window, for all tasks of a worker. It arrives in an inbox of its own, whose watermark tells
 * which windows are complete.
 *
 * - S1. What arrives is always taken: whoever sends it never waits for a task's main input.
 * - S2. What was handed out keeps its content; a window that changes afterwards has something new.
 * - S3. A window is ready once there is a pane of it, or when it is complete. Where it has one pane, at its end, that is the same. Each
 *   pane takes the place of the one before, but for one without elements, which brings nothing new.
 * - S4. A window goes when no task needs it any more; what comes for it then is dropped.
 * - S5. At a barrier nothing more is taken until all tasks that read it have passed theirs: so none of them sees what belongs to a later epoch,
 *   and what there is then is in the snapshot, whichever of them has it written.
 */
export class SideInputBuffer implements SideInput {
  readonly inbox = new Inbox();
  /** Counts changes: of content, and of what is ready. */
  version = 0;
  private readonly windows = new WindowMap<Contents>();
  private readonly ends = new InstantQueue<Window>();
  private readonly panes: Panes | undefined;
  /** Windows of which something has to be written in the next snapshot; with what is gone. */
  private changed = new Set<Window>();
  private readonly readers = new Map<SideInputReader, () => void>();
  /** S4 */
  private neededFrom: Timestamp = MIN_TIMESTAMP;

  constructor(private readonly parts: SideInputParts) {
    this.panes = parts.panes?.((pane, meta) => this.replace(meta.windows[0], (pane as KV<unknown, readonly unknown[]>).value));
    this.inbox.onArrival = () => this.readers.forEach((wake) => wake());
  }

  get pcollection(): string {
    return this.parts.pcollection;
  }

  /** A task reads it from now on; `wake` gives it a turn, in which it calls {@link takeArrived}. */
  join(wake: () => void): SideInputReader {
    const reader = { needsFrom: MIN_TIMESTAMP, hasPassed: false };
    this.readers.set(reader, wake);
    return reader;
  }

  /** The task has ended. */
  leave(reader: SideInputReader): void {
    this.readers.delete(reader);
    this.passIfAllHave();
  }

  /** S5 */
  passBarrier(reader: SideInputReader): void {
    reader.hasPassed = true;
    this.passIfAllHave();
  }

  /** Whether nothing more will come. */
  get isOver(): boolean {
    return this.inbox.watermark === MAX_TIMESTAMP;
  }

  /** Whether an element of the window may be given to those who ask for what goes with it (S3). Once true it stays true. */
  isReady(mainWindow: Window): boolean {
    if (this.isOver) return true;
    const { windowFn, completeAfterMs = 0 } = this.parts;
    if (windowFn === undefined) return false;
    const window = sideInputWindow(windowFn, mainWindow);
    if (window.maxTimestamp + completeAfterMs < this.inbox.watermark) return true;
    return this.panes !== undefined && this.windows.get(window) !== undefined;
  }

  /** What it has, in snapshots: its windows, and how far they are complete. */
  snapshot(coders: SideInputCoders): SnapshotPart {
    return new SideInputSnapshot(`side input ${this.pcollection}`, coders, {
      takeChanges: () => this.takeChanges(),
      watermark: () => this.inbox.watermark,
      restore: (window, values) => this.restore(window, values),
      goOnFrom: (watermark) => this.goOnFrom(watermark),
    });
  }

  values(window: Window): Values<unknown> {
    return this.windows.get(window)?.list.values ?? NOTHING;
  }

  /** Takes all that has arrived. */
  takeArrived(): void {
    const { inbox, panes } = this;
    if (!inbox.hasWaiting) return;
    let watermark = inbox.watermark;
    while (inbox.hasWaiting) {
      const batch = inbox.take();
      if (batch === undefined) {
        if (inbox.watermark === watermark) continue;
        watermark = inbox.watermark;
        panes?.advance(watermark);
        this.version++;
      } else {
        for (let i = 0; i < batch.length; i++) {
          const meta = batch.metaAt(i);
          if (panes !== undefined) panes.process(kv(undefined, batch.values[i]), meta);
          else for (const window of meta.windows) this.add(window, batch.values[i]);
        }
        inbox.release();
      }
      panes?.drain(never);
    }
  }

  /** Processing time at which a pane is due. */
  get deadline(): number {
    return this.panes?.deadline ?? Infinity;
  }

  advanceTime(now: number): void {
    if (this.deadline > now) return; // another task has seen to it
    this.panes?.advanceTime(now);
    this.panes?.drain(never);
    this.readers.forEach((wake) => wake());
  }

  /** S4: to be called when what a reader needs has changed. */
  dropUnneeded(): void {
    let least = MAX_TIMESTAMP;
    for (const { needsFrom } of this.readers.keys()) if (needsFrom < least) least = needsFrom;
    if (least <= this.neededFrom) return;
    this.neededFrom = least;
    for (let window = this.ends.takePassed(least); window !== undefined; window = this.ends.takePassed(least)) {
      this.windows.get(window)?.list.drop();
      this.windows.delete(window);
      this.changed.add(window);
    }
  }

  /** Windows that something is kept of: for tests and for people. */
  get size(): number {
    return this.windows.size;
  }

  /** S3 */
  private replace(window: Window, values: readonly unknown[]): void {
    const before = this.windows.get(window);
    if (before !== undefined && values.length === 0) return;
    this.version++;
    const contents = before ?? this.contentsOf(window);
    if (contents === undefined) return;
    if (before !== undefined) {
      before.list.drop();
      before.list = this.parts.newList();
      before.saved = -1;
    }
    this.changed.add(window);
    for (const value of values) contents.list.add(value);
  }

  private add(window: Window, value: unknown): void {
    const contents = this.contentsOf(window);
    if (contents === undefined) return;
    this.changed.add(window);
    contents.list.add(value);
  }

  /** S5 */
  private passIfAllHave(): void {
    if (this.inbox.barrier === undefined) return;
    for (const { hasPassed } of this.readers.keys()) if (!hasPassed) return;
    for (const reader of this.readers.keys()) reader.hasPassed = false;
    this.inbox.passBarrier();
    this.readers.forEach((wake) => wake());
  }

  private takeChanges(): SideInputChange[] {
    const changes = [...this.changed].map((window): SideInputChange => {
      const contents = this.windows.get(window);
      if (contents === undefined) return { window, values: undefined, from: 0 };
      const { saved, list } = contents;
      contents.saved = list.values.length;
      return { window, values: list.values, from: saved };
    });
    this.changed = new Set();
    return changes;
  }

  private restore(window: Window, values: Iterable<unknown>): void {
    const contents = this.contentsOf(window);
    if (contents === undefined) return;
    for (const value of values) contents.list.add(value);
    contents.saved = contents.list.values.length;
  }

  private goOnFrom(watermark: Timestamp): void {
    this.inbox.goOnFrom(watermark);
    this.panes?.advance(watermark);
    this.version++;
  }

  /** Undefined for a window that nobody needs any more (S4). */
  private contentsOf(window: Window): Contents | undefined {
    let contents = this.windows.get(window);
    if (contents !== undefined) return contents;
    if (window.maxTimestamp < this.neededFrom) return undefined;
    contents = { list: this.parts.newList(), saved: 0 };
    this.windows.set(window, contents);
    this.ends.add(window.maxTimestamp, window);
    return contents;
  }
}

const never = (): boolean => false;
