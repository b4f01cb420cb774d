// Combines what it can of each key before elements travel: a bounded table per bundle.
//
// C1. Where a CombineFn answers with a promise, what follows for its key waits for it; other keys go on. At most
//     COMBINE_CONCURRENCY inputs are under way, and the table is emptied only when none is.
// C2. Elements of several windows, such as sliding ones, are combined once for all of them: those that have the same windows make up a
//     slice, whose accumulators go downstream in all its windows. So it is for accumulators that nobody can change, numbers say; of any
//     others each window needs one of its own, since merging may change it.
// C3. Of sessions a key has one at a time here: it grows with what overlaps it, and makes way for what does not. The grouping merges what
//     is left to merge.
import { ByteWriter, type Coder } from "../../portability/coders/index.js";
import { ElementMeta, IntervalWindow, kv, type KV, type Receiver, type Timestamp, type Window } from "../../portability/values/index.js";
import type { AsyncCombineFn } from "../model/combine-fn.js";
import { COMBINE_CONCURRENCY } from "./combine-operators.js";
import type { Operator, OperatorScope } from "./operator.js";
import { isThenable } from "./ordered-calls.js";
import { RecentKeys } from "./recent-keys.js";
import { isShareable } from "./shareable.js";

type Fn = AsyncCombineFn<unknown, unknown, unknown>;

/** Most keys that a precombine table holds before it is emptied downstream. */
const TABLE_LIMIT = 100_000;

/** What is combined apart: a window, or the windows that the elements of a slice share (C2). */
type Place = Window | readonly Window[];

/** Where all sessions are found (C3). */
const SESSIONS: Place = [];

/** A class, since V8 would in time allocate what one literal makes among the old objects, if many of them are kept for a while. */
class Entry {
  /** C1: settles when all inputs so far have been added. */
  waiting: Promise<void> | undefined;

  constructor(
    readonly key: unknown,
    /** Of a session, the window as far as it has grown. */
    public place: Place,
    public accumulator: unknown,
    public meta: ElementMeta,
  ) {}
}

/** Which of two elements gives the accumulator its timestamp: the one whose timestamp is preferred to the other's. */
export type PreferTimestamp = (candidate: Timestamp, current: Timestamp) => boolean;

/** What combining before a grouping has to know of it. */
export interface PrecombineOptions {
  /** Most keys that the table holds before it is emptied downstream. */
  readonly limit?: number;
  /** Undefined where groups do not have their timestamps from elements. */
  readonly prefer?: PreferTimestamp;
  /** Whether windows are intervals that merge by overlap. */
  readonly sessions?: boolean;
}

/** Stands for −0 in a Map, which would take it for 0. */
const NEGATIVE_ZERO = Symbol("-0");

export function precombineOperator(
  fn: Fn,
  keyCoder: Coder<unknown>,
  next: Receiver,
  scope: OperatorScope,
  { limit = TABLE_LIMIT, prefer, sessions = false }: PrecombineOptions = {},
): Operator {
  // Places outermost, so that no composite key is built per element; identity is enough, since a window met as two objects
  // only costs a second accumulator, which the grouping merges.
  const tables = new Map<Place, Map<unknown, Entry>>();
  let lastPlace: Place | undefined;
  let lastTable: Map<unknown, Entry> = new Map();
  const recent = new RecentKeys<Entry>();
  /** The entry looked up last under the key that all elements have where they are combined globally. */
  let global: Entry | undefined;
  let slices = true;
  /** Sessions that have made way for others (C3). */
  let past: Entry[] = [];
  let size = 0;
  const writer = new ByteWriter();
  const counter = { n: 0 };

  const lookupKey = (key: unknown): unknown => {
    if (typeof key === "string") return `\u0000s${key}`; // only those that could be taken for an encoded key
    if (typeof key === "number") return key === 0 && 1 / key < 0 ? NEGATIVE_ZERO : key;
    if (typeof key !== "object" || key === null) return key;
    writer.reset();
    try {
      keyCoder.encode(key, writer, true);
    } catch (cause) {
      throw scope.userError("key cannot be encoded", cause, key);
    }
    return `\u0000o${Buffer.from(writer.view()).latin1Slice()}`;
  };
  const tableOf = (place: Place): Map<unknown, Entry> => {
    let table = tables.get(place);
    if (table === undefined) tables.set(place, (table = new Map()));
    lastPlace = place;
    lastTable = table;
    return table;
  };
  let inFlight = 0;
  let flushWanted = false;
  let listeners: { readonly resolve: () => void; readonly room: boolean }[] = [];
  const listen = (room: boolean): Promise<void> => new Promise((resolve) => listeners.push({ resolve, room }));
  const notify = (): void => {
    if (inFlight === 0 && flushWanted && !scope.stopped()) flush();
    const ready = listeners.filter(({ room }) => inFlight === 0 || (room && !full()));
    listeners = listeners.filter((listener) => !ready.includes(listener));
    for (const { resolve } of ready) resolve();
  };
  const full = (): boolean => inFlight >= COMBINE_CONCURRENCY || (flushWanted && inFlight > 0);
  const send = ({ key, accumulator, place, meta }: Entry): void =>
    next(kv(key, accumulator), sessions && place !== meta.windows[0] ? inWindow(meta, place as Window) : meta);
  const flush = (): void => {
    flushWanted = false;
    size = 0;
    recent.clear();
    global = undefined;
    for (const entry of past) send(entry);
    past = [];
    for (const table of tables.values()) {
      for (const entry of table.values()) send(entry);
      table.clear();
    }
    if (tables.size > 16) {
      tables.clear();
      lastPlace = undefined;
    }
  };
  return {
    counter,
    receive(element, meta) {
      counter.n++;
      const { key, value } = element as KV<unknown, unknown>;
      const { windows } = meta;
      if (sessions) for (let i = 0; i < windows.length; i++) addToSession(windows[i] as IntervalWindow, key, value, meta);
      else if (windows.length === 1) {
        const entry = typeof key === "string" ? recent.get(key) : key === null ? global : undefined;
        if (entry !== undefined && entry.place === windows[0]) addTo(entry, value, meta);
        else add(windows[0], key, value, meta);
      } else if (slices) addToSlice(windows, key, value, meta);
      else for (let i = 0; i < windows.length; i++) add(windows[i], key, value, meta);
    },
    blocked: () => (full() ? listen(true) : undefined),
    isBlocked: full,
    finishBundle: () => (inFlight === 0 ? flush() : listen(false).then(() => (scope.stopped() ? undefined : flush()))),
    abort() {
      inFlight = Infinity; // what settles from now on is not wanted any more
      tables.clear();
      past = [];
      recent.clear();
      global = undefined;
      lastPlace = undefined;
    },
  };

  function add(window: Window, key: unknown, value: unknown, meta: ElementMeta): void {
    const table = window === lastPlace ? lastTable : tableOf(window);
    const lookup = typeof key === "string" && key.charCodeAt(0) !== 0 ? key : lookupKey(key);
    const entry = table.get(lookup);
    if (entry === undefined) {
      const own = new Entry(key, window, undefined, meta.windows.length === 1 ? meta : inWindow(meta, window));
      return begin(table, lookup, own, value);
    }
    if (typeof key === "string") recent.remember(key, entry);
    else if (key === null) global = entry;
    addTo(entry, value, meta);
  }

  /** C2 */
  function addToSlice(windows: readonly Window[], key: unknown, value: unknown, meta: ElementMeta): void {
    const table = windows === lastPlace ? lastTable : tableOf(windows);
    const lookup = typeof key === "string" && key.charCodeAt(0) !== 0 ? key : lookupKey(key);
    const entry = table.get(lookup);
    let result: unknown;
    try {
      const before = entry === undefined ? fn.createAccumulator() : entry.accumulator;
      result = isShareable(before) ? fn.addInput(before, value) : before;
    } catch (cause) {
      throw scope.userError("addInput failed", cause, value);
    }
    if (!isShareable(result)) {
      slices = false; // what slices have so far stays as it is
      if (isThenable(result)) result.then(undefined, () => {}); // it is asked again
      for (let i = 0; i < windows.length; i++) add(windows[i], key, value, meta);
    } else if (entry === undefined) {
      table.set(lookup, new Entry(key, windows, result, meta));
      grown();
    } else {
      entry.accumulator = result;
      if (prefer !== undefined && prefer(meta.timestamp, entry.meta.timestamp)) entry.meta = meta;
    }
  }

  /** C3 */
  function addToSession(window: IntervalWindow, key: unknown, value: unknown, meta: ElementMeta): void {
    const table = lastPlace === SESSIONS ? lastTable : tableOf(SESSIONS);
    const lookup = typeof key === "string" && key.charCodeAt(0) !== 0 ? key : lookupKey(key);
    const entry = table.get(lookup);
    if (entry !== undefined) {
      const { start, end } = entry.place as IntervalWindow;
      if (window.start < end && start < window.end) {
        if (window.start < start || window.end > end)
          entry.place = new IntervalWindow(Math.min(start, window.start), Math.max(end, window.end));
        return addTo(entry, value, meta);
      }
      past.push(entry);
    }
    begin(table, lookup, new Entry(key, window, undefined, meta), value);
  }

  function addTo(entry: Entry, value: unknown, meta: ElementMeta): void {
    if (entry.waiting !== undefined)
      addLater(
        entry,
        value,
        entry.waiting.then(() => fn.addInput(entry.accumulator, value)),
      );
    else {
      let result: unknown;
      try {
        result = fn.addInput(entry.accumulator, value);
      } catch (cause) {
        throw scope.userError("addInput failed", cause, value);
      }
      if (typeof result === "object" && isThenable(result)) addLater(entry, value, result);
      else entry.accumulator = result;
    }
    if (prefer !== undefined && prefer(meta.timestamp, entry.meta.timestamp))
      entry.meta = meta.windows.length === 1 ? meta : inWindow(meta, entry.place as Window);
  }

  function begin(table: Map<unknown, Entry>, lookup: unknown, entry: Entry, value: unknown): void {
    let result: unknown;
    try {
      const empty = fn.createAccumulator();
      result = isThenable(empty) ? empty.then((settled) => fn.addInput(settled, value)) : fn.addInput(empty, value);
    } catch (cause) {
      throw scope.userError("addInput failed", cause, value);
    }
    if (typeof result === "object" && isThenable(result)) addLater(entry, value, result);
    else entry.accumulator = result;
    table.set(lookup, entry);
    grown();
  }

  function grown(): void {
    if (++size < limit) return;
    if (inFlight > 0) flushWanted = true;
    else flush();
  }

  /** C1 */
  function addLater(entry: Entry, value: unknown, result: PromiseLike<unknown>): void {
    scope.waits();
    inFlight++;
    const waiting = Promise.resolve(result)
      .then(
        (accumulator) => void (entry.accumulator = accumulator),
        (cause: unknown) => scope.fail(scope.userError("addInput failed", cause, value)),
      )
      .then(() => {
        if (entry.waiting === waiting) entry.waiting = undefined;
        inFlight--;
        notify();
      });
    entry.waiting = waiting;
  }
}

function inWindow(meta: ElementMeta, window: Window): ElementMeta {
  return new ElementMeta(meta.timestamp, [window], meta.pane);
}
