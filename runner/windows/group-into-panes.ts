// Grouping under any trigger: see GroupIntoPanes.
import {
  ElementMeta,
  GLOBAL_WINDOWS,
  GlobalWindow,
  kv,
  MAX_TIMESTAMP,
  MIN_TIMESTAMP,
  PaneTiming,
  type KV,
  type PaneInfo,
  type Receiver,
  type Timestamp,
  type Window,
} from "../../portability/values/index.js";
import { mergeOverlapping } from "../../portability/windows/index.js";
import type { ChangeLog } from "../snapshot/index.js";
import { sameWindow, WindowMap, type KeySpace, type Merge, type StateKey } from "../store/index.js";
import type { GroupingStrategy } from "./grouping-strategy.js";
import { InstantQueue } from "./instant-queue.js";
import { insertInOrder, overlapping } from "./interval-order.js";
import { TriggerMachine, type TriggerState } from "./trigger-machine.js";

/** What is kept of one key and window. */
export interface Cell {
  readonly key: StateKey;
  window: Window;
  /** Values since the last pane, or all of them where panes accumulate; several may be merged into one (P7). */
  values: unknown[];
  /** Whether values came since the last pane. */
  fresh: boolean;
  trigger: TriggerState;
  /** Whether the trigger has finished: the window takes nothing more then, unless a merge makes the trigger start again. */
  closed: boolean;
  /** The instants of event time for which it waits in the queues of ends and of expiries, not behind its own; Infinity if it does not. */
  end: Timestamp;
  expiry: Timestamp;
  /** The processing time that the trigger waits for; Infinity for none. */
  due: number;
  /** The processing time for which the cell waits in the queue, not behind {@link due}; Infinity if it does not. */
  deadline: number;
  /** What the pane's elements, combined, hold the watermark at; MAX_TIMESTAMP if nothing does. */
  hold: Timestamp;
  panes: number;
  /** Panes that were not early. */
  nonSpeculativePanes: number;
  /** Whether the pane at the end has been emitted, or cannot be any more. */
  endedOnTime: boolean;
  /** False once another one has taken it in, or it has expired. */
  alive: boolean;
  /** Of the log of changes since the last snapshot. */
  changedIn: number;
}

/** What of a cell is kept beyond a run. */
export type RestoredCell = Pick<
  Cell,
  "window" | "values" | "fresh" | "trigger" | "closed" | "hold" | "panes" | "nonSpeculativePanes" | "endedOnTime"
> & { readonly key: unknown };

/** A pane on its way out. */
interface Firing {
  readonly group: KV<unknown, unknown>;
  readonly meta: ElementMeta;
}

/** Receives elements that come too late, with their meta; a window at a time. */
export type LateReceiver = (value: unknown, meta: ElementMeta) => void;

/**
 * Groups `KV<K, V>` into panes `KV<K, V[]>` by key and window, under any trigger, with windows that merge or do not.
 *
 * - P1. A trigger is asked after each element, when the watermark passes the end of its window, and when a delay runs out that it waits
 *   for; at no other time, so panes do not depend on where bundles or batches end, nor on what other windows do.
 * - P2. A pane is on time if it is the first behind the end of its window, and the window was there in time; before it panes are early,
 *   behind it they are late.
 * - P3. A window that has expired, its end plus allowed lateness being behind the watermark, takes nothing more, and nor does one whose
 *   trigger has finished: such elements are counted, and handed to `late`. What is kept of an expired window is forgotten.
 * - P4. When it expires a window emits what it still has, whatever its trigger says; so it does when input ends.
 * - P5. {@link hold} never exceeds the timestamp of a pane still to be emitted, but for elements that came behind the watermark.
 * - P6. Lateness is judged of the merged window: an element that extends a session which is still alive is not late. A window that comes
 *   about by merging counts its panes anew. It is closed only if all its parts were, and its trigger has finished there too (M3).
 * - P7. Values merge as they come, if something merges them: a pane has one for all that merged with the one before, in the order of addition.
 */
export class GroupIntoPanes {
  /** Elements that came after their window had expired, once for each such window. */
  droppedLate = 0;
  /** Elements that came after the trigger of their window had finished. */
  droppedClosed = 0;
  private readonly machine: TriggerMachine;
  private readonly times: { watermark: Timestamp; now: number };
  /** Where windows do not merge: the cells by window, then by key. */
  private readonly byWindow = new WindowMap<Map<StateKey, Cell>>();
  /** Where windows merge: the cells of each key; in the order of their windows, if it is by overlap that they merge. */
  private readonly byKey = new Map<StateKey, Cell[]>();
  private readonly ends = new InstantQueue<Cell>();
  private readonly expiries = new InstantQueue<Cell>();
  private readonly deadlines = new InstantQueue<Cell>();
  private readonly holds = new InstantQueue<Cell>();
  private ready: Firing[] = [];
  private emitted = 0;
  /** Told of each cell before it changes, where there are snapshots. */
  changes: ChangeLog<Cell> | undefined;

  /**
   * @param now tells processing time, in milliseconds
   * @param merge P7
   */
  constructor(
    private readonly strategy: GroupingStrategy,
    private readonly keys: KeySpace,
    private readonly emit: Receiver,
    private readonly now: () => number,
    private readonly late?: LateReceiver,
    private readonly merge?: Merge<unknown>,
  ) {
    this.machine = new TriggerMachine(strategy.trigger, strategy.merge !== undefined);
    this.times = { watermark: MIN_TIMESTAMP, now: 0 };
  }

  readonly process = (value: unknown, meta: ElementMeta): void => {
    const pair = value as KV<unknown, unknown>;
    const id = this.keys.identify(pair.key);
    if (this.machine.usesProcessingTime) this.times.now = this.now();
    const { windows } = meta;
    for (let i = 0; i < windows.length; i++) this.add(id, pair, meta, windows[i]);
  };

  /** The input watermark has moved: windows that it passed are looked at, in the order of their ends. */
  advance(watermark: Timestamp): void {
    const { times } = this;
    times.watermark = watermark;
    if (this.machine.usesProcessingTime) times.now = this.now();
    const { ends, expiries } = this;
    for (let end = ends.next; end < watermark; end = ends.next) {
      const cell = ends.take()!;
      if (!cell.alive || cell.end !== end) continue;
      cell.end = Infinity;
      if (cell.window.maxTimestamp !== end)
        ends.add((cell.end = cell.window.maxTimestamp), cell); // it has grown
      else if (this.isExpired(cell.window)) this.expire(cell);
      else this.atEnd(cell);
    }
    for (let expiry = expiries.next; expiry < watermark; expiry = expiries.next) {
      const cell = expiries.take()!;
      if (!cell.alive || cell.expiry !== expiry) continue;
      if (this.expiryOf(cell.window) !== expiry) expiries.add((cell.expiry = this.expiryOf(cell.window)), cell);
      else this.expire(cell);
    }
  }

  /** The processing time at which {@link advanceTime} has something to do; Infinity if it never will as things are. */
  get deadline(): number {
    return this.deadlines.next;
  }

  /** Processing time has moved. */
  advanceTime(now: number): void {
    this.times.now = now;
    for (let cell = this.deadlines.takeReached(now); cell !== undefined; cell = this.deadlines.takeReached(now)) {
      cell.deadline = Infinity;
      if (!cell.alive) continue;
      // P1: what it was queued for may have come to nothing since.
      if (cell.due <= now) this.fireIfReady(cell);
      else this.queue(cell);
    }
  }

  /** Whether panes wait to be emitted. */
  get draining(): boolean {
    return this.ready.length > 0;
  }

  /** Emits panes that are due until none is left, then true, or until `pause` says so, then false. */
  drain(pause: () => boolean): boolean {
    const { ready } = this;
    while (this.emitted < ready.length) {
      if (pause()) return false;
      const { group, meta } = ready[this.emitted++];
      this.emit(group, meta);
    }
    this.ready = [];
    this.emitted = 0;
    return true;
  }

  /** The output watermark may not pass this (P5). */
  hold(): Timestamp {
    const { holds } = this;
    let hold = MAX_TIMESTAMP;
    for (let i = this.emitted; i < this.ready.length; i++) hold = Math.min(hold, this.ready[i].meta.timestamp);
    for (let cell = holds.peek(); cell !== undefined; cell = holds.peek()) {
      const actual = cell.alive ? cell.hold : MAX_TIMESTAMP;
      if (actual === holds.next) return Math.min(hold, actual);
      holds.take();
      if (actual < MAX_TIMESTAMP) holds.add(actual, cell);
    }
    return hold;
  }

  /** Takes back a cell as it was; for {@link PanesSnapshot}, before anything is processed. */
  restore(cell: RestoredCell, watermark: Timestamp): void {
    const { times, machine } = this;
    times.watermark = watermark;
    times.now = this.now();
    const restored = this.newCell(this.keys.identify(cell.key), cell.window);
    Object.assign(restored, { ...cell, key: restored.key, hold: MAX_TIMESTAMP });
    this.changes?.touch(restored);
    if (this.strategy.merge === undefined) {
      let cells = this.byWindow.get(cell.window);
      if (cells === undefined) this.byWindow.set(cell.window, (cells = new Map()));
      cells.set(restored.key, restored);
    } else {
      const cells = this.byKey.get(restored.key) ?? [];
      insertInOrder(cells, restored);
      this.byKey.set(restored.key, cells);
    }
    if (cell.hold < MAX_TIMESTAMP) this.holds.add((restored.hold = cell.hold), restored);
    if (machine.usesProcessingTime) this.awaitDeadline(restored);
  }

  /** Of a key, where windows merge: those that something is kept of. */
  windowsOf(key: unknown): Window[] {
    return this.byKey.get(this.keys.identify(key))?.map(({ window }) => window) ?? [];
  }

  /** Key and window pairs that something is kept of: for tests and for people. */
  get size(): number {
    let size = 0;
    for (const cells of this.byWindow.values()) size += cells.size;
    for (const cells of this.byKey.values()) size += cells.length;
    return size;
  }

  /** Entries of queues, those included that nobody waits for any more: for tests and for people. */
  get queued(): number {
    return this.ends.size + this.expiries.size + this.deadlines.size + this.holds.size;
  }

  /** What is kept of each key and window: for tests and for people. */
  *cells(): IterableIterator<{
    readonly key: unknown;
    readonly window: Window;
    readonly values: readonly unknown[];
    readonly closed: boolean;
  }> {
    const all = [...this.byWindow.values()].flatMap((cells) => [...cells.values()]).concat([...this.byKey.values()].flat());
    for (const { key, window, values, closed } of all) yield { key: this.keys.restore(key), window, values, closed };
  }

  private add(id: StateKey, pair: KV<unknown, unknown>, meta: ElementMeta, window: Window): void {
    const cell = this.strategy.merge === undefined ? this.cellOf(id, window) : this.mergedCellOf(id, window, this.strategy.merge);
    if (cell === undefined || cell.closed) {
      if (cell === undefined) this.droppedLate++;
      else this.droppedClosed++;
      this.late?.(pair, meta.windows.length === 1 ? meta : new ElementMeta(meta.timestamp, [window], meta.pane));
      return;
    }
    this.changes?.touch(cell);
    this.put(cell, pair.value);
    cell.fresh = true;
    const { outputTime, timestampCombiner } = this.strategy;
    if (timestampCombiner !== "end-of-window") {
      const timestamp = outputTime === undefined ? meta.timestamp : outputTime(meta.timestamp, cell.window);
      if (timestamp >= this.times.watermark) this.holdAt(cell, timestamp); // what is behind it holds nothing any more
    }
    this.machine.onElement(cell.trigger, cell.window, this.times);
    this.fireIfReady(cell);
  }

  /** Undefined for a window that has expired (P3). */
  private cellOf(id: StateKey, window: Window): Cell | undefined {
    let cells = this.byWindow.get(window);
    if (cells === undefined) {
      if (this.isExpired(window)) return undefined;
      this.byWindow.set(window, (cells = new Map()));
    }
    let cell = cells.get(id);
    if (cell === undefined) cells.set(id, (cell = this.newCell(id, window)));
    return cell;
  }

  /** P6 */
  private mergedCellOf(id: StateKey, window: Window, merge: NonNullable<GroupingStrategy["merge"]>): Cell | undefined {
    let cells = this.byKey.get(id);
    const near = cells === undefined ? [] : merge === mergeOverlapping ? overlapping(cells, window) : cells;
    let own = near.find((cell) => sameWindow(cell.window, window));
    if (own !== undefined) return own;
    const merges = merge([...near.map((cell) => cell.window), window]);
    const { into } = merges.find(({ windows }) => windows.includes(window)) ?? { into: window };
    if (this.isExpired(into)) return undefined; // none of the others is part of it: they are not expired
    if (cells === undefined) this.byKey.set(id, (cells = []));
    for (const { windows, into: merged } of merges) {
      const parts = near.filter((cell) => windows.includes(cell.window));
      if (sameWindow(into, merged)) own = this.mergeCells(cells, parts, merged);
      else this.mergeCells(cells, parts, merged);
    }
    own ??= cells.find((cell) => sameWindow(cell.window, into));
    if (own === undefined) insertInOrder(cells, (own = this.newCell(id, into)));
    return own;
  }

  /** The largest part takes the others in and becomes the merged one: so it costs what is added, not what there is. */
  private mergeCells(cells: Cell[], parts: readonly Cell[], window: Window): Cell | undefined {
    if (parts.length === 0 || (parts.length === 1 && sameWindow(parts[0].window, window))) return parts[0];
    const same = parts.find((part) => sameWindow(part.window, window));
    // A closed part counts only if all are: then it depends on the trigger whether the merged window has come as far.
    const open = parts.filter(({ closed }) => !closed);
    const states = (open.length > 0 ? open : parts).map(({ trigger }) => trigger);
    const merged = parts.reduce((largest, part) => (part.values.length > largest.values.length ? part : largest));
    if (this.changes !== undefined) this.noteMerge(this.changes, parts, merged);
    merged.trigger = this.machine.merge(states, window, this.times);
    merged.closed = this.machine.isFinished(merged.trigger);
    merged.panes = same?.panes ?? 0;
    merged.nonSpeculativePanes = same?.nonSpeculativePanes ?? 0;
    merged.endedOnTime = same?.endedOnTime ?? window.maxTimestamp < this.times.watermark;
    merged.window = window;
    for (const part of parts) {
      if (part === merged) continue;
      for (const value of part.values) this.put(merged, value);
      merged.fresh ||= part.fresh;
      if (part.hold < MAX_TIMESTAMP) this.holdAt(merged, part.hold);
      part.alive = false;
      cells.splice(cells.indexOf(part), 1);
    }
    this.awaitEnd(merged);
    this.awaitDeadline(merged);
    return merged;
  }

  /** A cell that changes its window is gone from where it was. */
  private noteMerge(changes: ChangeLog<Cell>, parts: readonly Cell[], merged: Cell): void {
    for (const part of parts) changes.touch(part);
    changes.touch({ ...merged, alive: false, changedIn: 0 });
  }

  /** P7 */
  private put({ values }: Cell, value: unknown): void {
    const last = values.length - 1;
    const both = this.merge === undefined || last < 0 ? undefined : this.merge(values[last], value);
    if (both === undefined) values.push(value);
    else values[last] = both;
  }

  private newCell(key: StateKey, window: Window): Cell {
    const cell: Cell = {
      key,
      window,
      values: [],
      fresh: false,
      trigger: this.machine.newState(),
      closed: false,
      end: Infinity,
      expiry: Infinity,
      due: Infinity,
      deadline: Infinity,
      hold: MAX_TIMESTAMP,
      panes: 0,
      nonSpeculativePanes: 0,
      endedOnTime: window.maxTimestamp < this.times.watermark,
      alive: true,
      changedIn: 0,
    };
    this.awaitEnd(cell);
    return cell;
  }

  /** To wait in a queue for an earlier instant is enough: when it has come it is seen that the window has grown. */
  private awaitEnd(cell: Cell): void {
    const { maxTimestamp } = cell.window;
    const isBehind = maxTimestamp < this.times.watermark;
    if (isBehind) cell.end = Infinity;
    else if (maxTimestamp < cell.end) this.ends.add((cell.end = maxTimestamp), cell);
    if (!isBehind && this.strategy.allowedLatenessMs === 0) return; // it expires at its end
    const expiry = this.expiryOf(cell.window);
    if (expiry < cell.expiry) this.expiries.add((cell.expiry = expiry), cell);
  }

  /** An element of this timestamp, or several with such a combined one, has joined the pane. */
  private holdAt(cell: Cell, timestamp: Timestamp): void {
    const { hold } = cell;
    if (hold < MAX_TIMESTAMP && (this.strategy.timestampCombiner === "latest" ? timestamp <= hold : timestamp >= hold)) return;
    cell.hold = timestamp;
    if (timestamp < hold) this.holds.add(timestamp, cell);
  }

  private awaitDeadline(cell: Cell): void {
    if (!this.machine.usesProcessingTime) return;
    cell.due = cell.closed ? Infinity : this.machine.deadline(cell.trigger, this.times);
    this.queue(cell);
  }

  /** Once is enough, however often it changes what it waits for. */
  private queue(cell: Cell): void {
    if (cell.due >= cell.deadline) return;
    cell.deadline = cell.due;
    this.deadlines.add(cell.due, cell);
  }

  /** The watermark has passed the end of the window, but the window stays open for late elements. */
  private atEnd(cell: Cell): void {
    this.changes?.touch(cell);
    this.fireIfReady(cell);
    if (!cell.fresh) cell.endedOnTime = true;
    // What the trigger still keeps was there in time, and holds the watermark at the end of the window.
    else if (cell.hold === MAX_TIMESTAMP) this.holds.add((cell.hold = cell.window.maxTimestamp), cell);
  }

  /** P4 */
  private expire(cell: Cell): void {
    this.changes?.touch(cell);
    if (!cell.closed) {
      const fires = this.machine.shouldFire(cell.trigger, cell.window, this.times);
      this.emitPane(cell, true, fires && this.machine.hasOnTimePane);
    }
    this.forget(cell);
  }

  private fireIfReady(cell: Cell): void {
    if (cell.closed) return;
    if (this.machine.shouldFire(cell.trigger, cell.window, this.times)) this.fire(cell);
    this.awaitDeadline(cell);
  }

  private fire(cell: Cell): void {
    const { machine } = this;
    this.changes?.touch(cell);
    machine.onFire(cell.trigger, cell.window, this.times);
    cell.closed = machine.isFinished(cell.trigger);
    this.emitPane(cell, cell.closed, machine.hasOnTimePane);
    if (cell.closed) cell.values = [];
  }

  /** @param isLast whether none can follow; @param mayBeOnTime whether the trigger has a pane at the end, empty or not */
  private emitPane(cell: Cell, isLast: boolean, mayBeOnTime: boolean): void {
    const { strategy, times } = this;
    const { window } = cell;
    const isEarly = times.watermark <= window.maxTimestamp;
    const timing = isEarly ? PaneTiming.EARLY : cell.endedOnTime ? PaneTiming.LATE : PaneTiming.ON_TIME;
    const isWanted =
      cell.fresh || (timing === PaneTiming.ON_TIME && mayBeOnTime && strategy.emptyOnTimePane) || (isLast && strategy.emptyFinalPane);
    if (!isEarly) cell.endedOnTime = true;
    if (!isWanted) return;
    const nonSpeculativeIndex = isEarly ? -1 : cell.nonSpeculativePanes++;
    const pane: PaneInfo = { isFirst: cell.panes === 0, isLast, timing, index: cell.panes++, nonSpeculativeIndex };
    const atEnd = cell.hold === MAX_TIMESTAMP || strategy.timestampCombiner === "end-of-window";
    const timestamp = atEnd ? window.maxTimestamp : cell.hold;
    const windows = window === GlobalWindow.instance ? GLOBAL_WINDOWS : [window];
    const values = strategy.accumulating && !isLast ? cell.values.slice() : cell.values;
    this.ready.push({ group: kv(this.keys.restore(cell.key), values), meta: new ElementMeta(timestamp, windows, pane) });
    cell.fresh = false;
    cell.hold = MAX_TIMESTAMP;
    if (!strategy.accumulating) cell.values = [];
  }

  private forget(cell: Cell): void {
    cell.alive = false;
    if (this.strategy.merge === undefined) {
      const cells = this.byWindow.get(cell.window);
      cells?.delete(cell.key);
      if (cells?.size === 0) this.byWindow.delete(cell.window);
      return;
    }
    const cells = this.byKey.get(cell.key);
    if (cells === undefined) return;
    cells.splice(cells.indexOf(cell), 1);
    if (cells.length === 0) this.byKey.delete(cell.key);
  }

  private isExpired(window: Window): boolean {
    return this.expiryOf(window) < this.times.watermark;
  }

  private expiryOf({ maxTimestamp }: Window): Timestamp {
    return maxTimestamp + this.strategy.allowedLatenessMs;
  }
}
