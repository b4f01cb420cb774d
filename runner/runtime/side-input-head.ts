import {
  MAX_TIMESTAMP,
  MIN_TIMESTAMP,
  type ElementMeta,
  type Receiver,
  type Timestamp,
  type Window,
} from "../../portability/values/index.js";
import { WindowMap } from "../store/index.js";
import type { SnapshotPart } from "../snapshot/index.js";
import { ElementBatch } from "./element-batch.js";
import type { HeadOperator } from "./head.js";
import { KeptBatches, type BatchKeeper, type KeptElementCoders } from "./kept-batches.js";
import type { SideInputBuffer, SideInputReader } from "./side-input-buffer.js";

/** Elements of one window that wait, or are on their way into the stage. */
class HeldElements {
  readonly batch = new ElementBatch();
  earliest: Timestamp = MAX_TIMESTAMP;
  position = 0;
  /** How many of them are in snapshots, as batches with these ids. */
  saved = 0;
  readonly ids: string[] = [];

  constructor(readonly window: Window) {}

  add(value: unknown, meta: ElementMeta): void {
    this.batch.push(value, meta);
    if (meta.timestamp < this.earliest) this.earliest = meta.timestamp;
  }
}

export interface SideInputHeadOptions {
  /** Gives the task a turn. */
  readonly wake: () => void;
  /** How long behind the watermark elements of the main input are still taken, in milliseconds. */
  readonly latenessMs: number;
  /** The earliest instant that the state behind this head has still to deal with, if there is any (W4). */
  readonly stateNeedsFrom?: () => Timestamp;
}

/**
 * The head of a task with side inputs: lets an element into the stage only when the windows that it needs are ready, and
 * keeps it until then. Elements of other windows pass.
 *
 * - W1. The main input is always taken, so that no producer of both inputs waits for one of them because of the other.
 * - W2. The output watermark does not pass an element that is kept.
 * - W3. What a window's element needs is ready when it is ready for the latest of its windows: readiness follows the windows' ends.
 * - W4. A side input's window is needed as long as an element that is kept, or may come, or a timer that may fire, is in a window that maps to
 *   it: those are of windows that end behind the watermark before the latest, since all that it brought about is done, less the lateness.
 */
export class SideInputHead implements HeadOperator, BatchKeeper {
  readonly relays: boolean;
  readonly process: Receiver;
  private readonly inner: HeadOperator;
  private readonly held = new WindowMap<HeldElements>();
  private readonly released: HeldElements[] = [];
  private lastReady: readonly Window[] | undefined;
  private readonly readers: readonly { readonly sideInput: SideInputBuffer; readonly reader: SideInputReader; seen: number }[];
  private watermark: Timestamp = MIN_TIMESTAMP;
  private kept: KeptBatches | undefined;
  private task = "";

  /** @param innerHead makes the head that these side inputs are added to; it is given the receiver to emit to. */
  constructor(
    private readonly sideInputs: readonly SideInputBuffer[],
    private readonly stage: Receiver,
    innerHead: (receiver: Receiver) => HeadOperator,
    private readonly options: SideInputHeadOptions,
  ) {
    this.readers = sideInputs.map((sideInput) => ({ sideInput, reader: sideInput.join(options.wake), seen: -1 }));
    this.inner = innerHead((value, meta) => this.admit(value, meta));
    this.relays = this.inner.relays === true;
    this.process = this.inner.process;
  }

  /** S5 of the side inputs. */
  passBarrier(): void {
    for (const { sideInput, reader } of this.readers) sideInput.passBarrier(reader);
    this.inner.passBarrier?.();
  }

  published(epoch: number): void {
    this.inner.published?.(epoch);
  }

  get awaitsCheckpoint(): boolean {
    return this.inner.awaitsCheckpoint === true;
  }

  get wantsCheckpoint(): boolean {
    return this.inner.wantsCheckpoint === true;
  }

  /** The elements that wait, in snapshots. @param task its name, unique in the job */
  snapshot(task: string, coders: KeptElementCoders): SnapshotPart {
    this.task = task;
    return (this.kept = new KeptBatches("waiting for side inputs", coders, this));
  }

  beforeFreeze(epoch: number): void {
    let window = 0;
    for (const held of this.held.values()) {
      const id = `${this.task}@${epoch}/${window++}`;
      if (held.saved === held.batch.length) continue;
      this.kept!.add(id, held.batch.slice(held.saved));
      held.saved = held.batch.length;
      held.ids.push(id);
    }
  }

  restored(id: string, batch: ElementBatch): void {
    for (let i = 0; i < batch.length; i++) this.keep(latestOf(batch.metaAt(i).windows), batch.values[i], batch.metaAt(i));
    const held = this.held.get(latestOf(batch.metaAt(0).windows))!; // a batch is of one window
    held.saved = held.batch.length;
    held.ids.push(id);
  }

  poll(): void {
    this.inner.poll?.();
    let moved = false;
    for (const each of this.readers) {
      each.sideInput.takeArrived();
      if (each.sideInput.version === each.seen) continue;
      each.seen = each.sideInput.version;
      moved = true;
    }
    if (!moved) return;
    for (const held of [...this.held.values()])
      if (this.isReady(held.window)) {
        this.held.delete(held.window);
        this.released.push(held);
      }
  }

  /** Side inputs are taken to their end, whether anybody still needs them or not: their senders want to finish, too. */
  get waitsFor(): string | undefined {
    const open = this.sideInputs.filter((sideInput) => !sideInput.isOver);
    if (open.length === 0) return this.inner.waitsFor;
    return open.map(({ pcollection, inbox }) => `side input "${pcollection}"${fromOf(inbox.laggards)}`).join(", ");
  }

  get isSource(): boolean {
    return this.inner.isSource === true;
  }

  get mayFreeze(): boolean | undefined {
    return this.released.length > 0 ? false : this.inner.mayFreeze;
  }

  /** W2 */
  get isIdle(): boolean | undefined {
    return this.inner.isIdle === true ? this.held.size === 0 && this.released.length === 0 : this.inner.isIdle;
  }

  beginDrain(): void {
    this.inner.beginDrain?.();
  }

  close(): Promise<void> {
    for (const { sideInput, reader } of this.readers) sideInput.leave(reader);
    return this.inner.close?.() ?? Promise.resolve();
  }

  advance(watermark: Timestamp): void {
    const { latenessMs, stateNeedsFrom } = this.options;
    this.letGo(Math.min(this.watermark, this.hold(), stateNeedsFrom?.() ?? Infinity) - latenessMs);
    this.watermark = watermark;
    this.inner.advance(watermark);
  }

  get deadline(): number {
    return this.sideInputs.reduce((least, { deadline }) => Math.min(least, deadline), this.inner.deadline);
  }

  advanceTime(now: number): void {
    for (const sideInput of this.sideInputs) sideInput.advanceTime(now);
    this.poll();
    this.inner.advanceTime(now);
  }

  get draining(): boolean {
    return this.released.length > 0 || this.inner.draining;
  }

  drain(pause: () => boolean): boolean {
    for (let held = this.released[0]; held !== undefined; held = this.released[0]) {
      const { batch } = held;
      while (held.position < batch.length) {
        if (pause()) return false;
        const at = held.position++;
        this.stage(batch.values[at], batch.metaAt(at));
      }
      this.released.shift();
      for (const id of held.ids) this.kept?.remove(id);
    }
    return this.inner.drain(pause);
  }

  committed(): void {
    this.inner.committed?.();
  }

  rolledBack(): void {
    this.inner.rolledBack?.();
  }

  hold(): Timestamp {
    let hold = this.inner.hold();
    for (const { earliest } of this.held.values()) if (earliest < hold) hold = earliest;
    for (const { earliest } of this.released) if (earliest < hold) hold = earliest;
    return hold;
  }

  get droppedLate(): number {
    return this.inner.droppedLate;
  }

  get droppedClosed(): number {
    return this.inner.droppedClosed;
  }

  private admit(value: unknown, meta: ElementMeta): void {
    const { windows } = meta;
    if (windows === this.lastReady) return this.stage(value, meta);
    const latest = latestOf(windows); // W3
    if (!this.isReady(latest)) return this.keep(latest, value, meta);
    this.lastReady = windows;
    this.stage(value, meta);
  }

  /** Whether all that an element, or a timer, of the window may ask for is there. */
  isReady(window: Window): boolean {
    return this.sideInputs.every((sideInput) => sideInput.isReady(window));
  }

  /** W4 */
  private letGo(needsFrom: Timestamp): void {
    for (const { sideInput, reader } of this.readers) {
      reader.needsFrom = needsFrom;
      sideInput.dropUnneeded();
    }
  }

  private keep(window: Window, value: unknown, meta: ElementMeta): void {
    let held = this.held.get(window);
    if (held === undefined) this.held.set(window, (held = new HeldElements(window)));
    held.add(value, meta);
  }
}

function fromOf(tasks: readonly string[]): string {
  const named = [...new Set(tasks)].filter((name) => name !== "");
  return named.length === 0 ? "" : ` from ${named.join(", ")}`;
}

function latestOf(windows: readonly Window[]): Window {
  let latest = windows[0];
  for (let i = 1; i < windows.length; i++) if (windows[i].maxTimestamp > latest.maxTimestamp) latest = windows[i];
  return latest;
}
