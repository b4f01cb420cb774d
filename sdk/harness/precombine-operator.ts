// Combines what it can of each key before elements travel: a bounded table per bundle.
//
// C1. Where a CombineFn answers with a promise, what follows for its key waits for it; other keys go on. At most
//     COMBINE_CONCURRENCY inputs are under way, and the table is emptied only when none is.
import { ByteWriter, type Coder } from "../../portability/coders/index.js";
import { ElementMeta, kv, type KV, type Receiver, type Timestamp, type Window } from "../../portability/values/index.js";
import type { AsyncCombineFn } from "../model/combine-fn.js";
import { COMBINE_CONCURRENCY } from "./combine-operators.js";
import type { Operator, OperatorScope } from "./operator.js";
import { isThenable } from "./ordered-calls.js";
import { RecentKeys } from "./recent-keys.js";

type Fn = AsyncCombineFn<unknown, unknown, unknown>;

/** Most keys that a precombine table holds before it is emptied downstream. */
const TABLE_LIMIT = 100_000;

interface Entry {
  readonly key: unknown;
  readonly window: Window;
  accumulator: unknown;
  meta: ElementMeta;
  /** C1: settles when all inputs so far have been added. */
  waiting: Promise<void> | undefined;
}

/** Which of two elements gives the accumulator its timestamp: the one whose timestamp is preferred to the other's. */
export type PreferTimestamp = (candidate: Timestamp, current: Timestamp) => boolean;

/** Stands for −0 in a Map, which would take it for 0. */
const NEGATIVE_ZERO = Symbol("-0");

export function precombineOperator(
  fn: Fn,
  keyCoder: Coder<unknown>,
  next: Receiver,
  scope: OperatorScope,
  limit = TABLE_LIMIT,
  prefer?: PreferTimestamp,
): Operator {
  // Windows outermost, so that no composite key is built per element; identity is enough, since a window met as two objects
  // only costs a second accumulator, which the grouping merges.
  const tables = new Map<Window, Map<unknown, Entry>>();
  let lastWindow: Window | undefined;
  let lastTable: Map<unknown, Entry> = new Map();
  const recent = new RecentKeys<Entry>();
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
  const tableOf = (window: Window): Map<unknown, Entry> => {
    let table = tables.get(window);
    if (table === undefined) tables.set(window, (table = new Map()));
    lastWindow = window;
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
  const flush = (): void => {
    flushWanted = false;
    size = 0;
    recent.clear();
    for (const table of tables.values()) {
      for (const entry of table.values()) next(kv(entry.key, entry.accumulator), entry.meta);
      table.clear();
    }
    if (tables.size > 16) {
      tables.clear();
      lastWindow = undefined;
    }
  };
  return {
    counter,
    receive(element, meta) {
      counter.n++;
      const { key, value } = element as KV<unknown, unknown>;
      const { windows } = meta;
      if (windows.length === 1) {
        const entry = typeof key === "string" ? recent.get(key) : undefined;
        if (entry !== undefined && entry.window === windows[0]) addTo(entry, value, meta);
        else add(windows[0], key, value, meta);
      } else for (const window of windows) add(window, key, value, exploded(meta, window)); // each has an accumulator of its own
    },
    blocked: () => (full() ? listen(true) : undefined),
    isBlocked: full,
    finishBundle: () => (inFlight === 0 ? flush() : listen(false).then(() => (scope.stopped() ? undefined : flush()))),
    abort() {
      inFlight = Infinity; // what settles from now on is not wanted any more
      tables.clear();
      recent.clear();
      lastWindow = undefined;
    },
  };

  function add(window: Window, key: unknown, value: unknown, meta: ElementMeta): void {
    const table = window === lastWindow ? lastTable : tableOf(window);
    const lookup = typeof key === "string" && key.charCodeAt(0) !== 0 ? key : lookupKey(key);
    const entry = table.get(lookup);
    if (entry === undefined) return begin(table, lookup, { key, window, accumulator: undefined, meta, waiting: undefined }, value);
    if (typeof key === "string") recent.remember(key, entry);
    addTo(entry, value, meta);
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
    if (prefer !== undefined && prefer(meta.timestamp, entry.meta.timestamp)) entry.meta = meta;
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
    if (++size < limit) return;
    if (inFlight > 0) flushWanted = true;
    else flush();
  }

  /** C1 */
  function addLater(entry: Entry, value: unknown, result: PromiseLike<unknown>): void {
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

function exploded(meta: ElementMeta, window: Window): ElementMeta {
  return new ElementMeta(meta.timestamp, [window], meta.pane);
}
