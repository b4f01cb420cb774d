// The parts that a runner takes a CombinePerKey apart into (Beam's "combiner lifting").
//
//   precombine: KV<K, In>* → KV<K, Acc>        a bounded table per bundle, before the shuffle
//   merge:      KV<K, Acc[]> → KV<K, Acc>      behind the grouping
//   extract:    KV<K, Acc> → KV<K, Out>
//   grouped:    KV<K, In[]> → KV<K, Out>       the whole of it, where the runner did not lift
import { ByteWriter, type Coder } from "../../portability/coders/index.js";
import { ElementMeta, kv, type KV, type Receiver, type Timestamp, type Window } from "../../portability/values/index.js";
import type { CombineFn } from "../model/combine-fn.js";
import type { Operator, OperatorScope } from "./operator.js";
import { RecentKeys } from "./recent-keys.js";

type Fn = CombineFn<unknown, unknown, unknown>;

/** Most keys that a precombine table holds before it is emptied downstream. */
const TABLE_LIMIT = 100_000;

interface Entry {
  readonly key: unknown;
  readonly window: Window;
  accumulator: unknown;
  meta: ElementMeta;
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
  const flush = (): void => {
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
    finishBundle: flush,
    abort() {
      tables.clear();
      recent.clear();
      lastWindow = undefined;
    },
  };

  function add(window: Window, key: unknown, value: unknown, meta: ElementMeta): void {
    const table = window === lastWindow ? lastTable : tableOf(window);
    const lookup = typeof key === "string" && key.charCodeAt(0) !== 0 ? key : lookupKey(key);
    const entry = table.get(lookup);
    if (entry === undefined) return begin(table, lookup, { key, window, accumulator: undefined, meta }, value);
    if (typeof key === "string") recent.remember(key, entry);
    addTo(entry, value, meta);
  }

  function addTo(entry: Entry, value: unknown, meta: ElementMeta): void {
    try {
      entry.accumulator = fn.addInput(entry.accumulator, value);
    } catch (cause) {
      throw scope.userError("addInput failed", cause, value);
    }
    if (prefer !== undefined && prefer(meta.timestamp, entry.meta.timestamp)) entry.meta = meta;
  }

  function begin(table: Map<unknown, Entry>, lookup: unknown, entry: Entry, value: unknown): void {
    try {
      entry.accumulator = fn.addInput(fn.createAccumulator(), value);
    } catch (cause) {
      throw scope.userError("addInput failed", cause, value);
    }
    table.set(lookup, entry);
    if (++size >= limit) flush();
  }
}

function exploded(meta: ElementMeta, window: Window): ElementMeta {
  return new ElementMeta(meta.timestamp, [window], meta.pane);
}

export function mergeAccumulatorsOperator(fn: Fn, next: Receiver, scope: OperatorScope): Operator {
  return eachKey("mergeAccumulators failed", next, scope, (accumulators) => merged(fn, accumulators as Iterable<unknown>));
}

export function extractOutputsOperator(fn: Fn, next: Receiver, scope: OperatorScope): Operator {
  return eachKey("extractOutput failed", next, scope, (accumulator) => fn.extractOutput(accumulator));
}

export function combineGroupedValuesOperator(fn: Fn, next: Receiver, scope: OperatorScope): Operator {
  return eachKey("combining failed", next, scope, (inputs) => {
    let accumulator = fn.createAccumulator();
    for (const input of inputs as Iterable<unknown>) accumulator = fn.addInput(accumulator, input);
    return fn.extractOutput(accumulator);
  });
}

export function convertToAccumulatorsOperator(fn: Fn, next: Receiver, scope: OperatorScope): Operator {
  return eachKey("addInput failed", next, scope, (input) => fn.addInput(fn.createAccumulator(), input));
}

function merged(fn: Fn, accumulators: Iterable<unknown>): unknown {
  let result: unknown;
  let first = true;
  for (const accumulator of accumulators) {
    result = first ? accumulator : fn.mergeAccumulators(result, accumulator);
    first = false;
  }
  return first ? fn.createAccumulator() : result;
}

function eachKey(action: string, next: Receiver, scope: OperatorScope, change: (value: unknown) => unknown): Operator {
  return {
    receive(element, meta) {
      const { key, value } = element as KV<unknown, unknown>;
      let result: unknown;
      try {
        result = change(value);
      } catch (cause) {
        throw scope.userError(action, cause, element);
      }
      next(kv(key, result), meta);
    },
  };
}
