import { BoundedTrie, STRING_SET_LIMIT, type Distribution, type Gauge } from "../../portability/metrics/index.js";
import { currentCell, useMetrics, type MetricCell, type MetricDefinition } from "./step-metrics.js";

/** A metric's name, in a namespace that keeps it apart from others of that name; default namespace: `user`. */
export type MetricName = string | { readonly namespace: string; readonly name: string };

/** Counts up and down. */
export interface Counter {
  /** Adds `n`, by default 1. */
  inc(n?: number): void;
  /** Takes `n`, by default 1, off. */
  dec(n?: number): void;
}

/** Keeps count, sum, least and greatest of the numbers it is given. */
export interface DistributionMetric {
  update(value: number): void;
}

/** Keeps the number set last. */
export interface GaugeMetric {
  set(value: number): void;
}

/** Keeps which texts it was given, at most 10 000 of them. */
export interface StringSet {
  add(text: string): void;
}

/** Keeps which paths it was given, at most 100 of them: where there are more it keeps what they begin with. */
export interface BoundedTrieMetric {
  add(...segments: readonly string[]): void;
}

function definition<C extends MetricCell>(name: MetricName, newCell: () => C): MetricDefinition<C> {
  useMetrics();
  return typeof name === "string" ? { namespace: "user", name, newCell } : { ...name, newCell };
}

/**
 * A counter, for use in functions that are given to transforms. It belongs to the transform that is running: the same counter used in two
 * transforms is counted for each. Make metrics once, where the module is loaded.
 *
 * @example
 * ```ts
 * const broken = counter("broken lines");
 * lines.apply(filter((line) => {
 *   if (line === "") broken.inc();
 *   return line !== "";
 * }));
 * ```
 */
export function counter(name: MetricName): Counter {
  const own = definition(name, () => ({ n: 0, report: report("counter", ({ n }: { n: number }) => n) }));
  return {
    inc: (n = 1) => void (currentCell(own).n += n),
    dec: (n = 1) => void (currentCell(own).n -= n),
  };
}

/**
 * A distribution: count, sum, least and greatest of numbers. On the wire Beam's are whole, so fractions are rounded there.
 *
 * @example
 * ```ts
 * const lengths = distribution("line lengths");
 * lines.apply(map((line) => {
 *   lengths.update(line.length);
 *   return line;
 * }));
 * ```
 */
export function distribution(name: MetricName): DistributionMetric {
  const own = definition(name, () => ({
    count: 0,
    sum: 0,
    min: Infinity,
    max: -Infinity,
    report: report("distribution", ({ count, sum, min, max }: Distribution) => ({ count, sum, min, max })),
  }));
  return {
    update(value) {
      const cell = currentCell(own);
      cell.count++;
      cell.sum += value;
      if (value < cell.min) cell.min = value;
      if (value > cell.max) cell.max = value;
    },
  };
}

/**
 * A gauge: the number set last, in whichever task that was.
 *
 * @example
 * ```ts
 * const open = gauge("open requests");
 * users.apply(map((user) => {
 *   open.set(user.requests);
 *   return user;
 * }));
 * ```
 */
export function gauge(name: MetricName): GaugeMetric {
  const own = definition(name, () => ({
    last: undefined as Gauge | undefined,
    report(this: { last: Gauge | undefined }) {
      return this.last === undefined ? undefined : ({ type: "gauge", value: this.last } as const);
    },
  }));
  return { set: (value) => void (currentCell(own).last = { value, time: Date.now() }) };
}

/**
 * A set of texts.
 *
 * @example
 * ```ts
 * const hosts = stringSet("hosts");
 * urls.apply(map((url) => {
 *   hosts.add(new URL(url).host);
 *   return url;
 * }));
 * ```
 */
export function stringSet(name: MetricName): StringSet {
  const own = definition(name, () => ({
    texts: new Set<string>(),
    report: report("string-set", ({ texts }: { texts: ReadonlySet<string> }) => [...texts].sort()),
  }));
  return {
    add(text) {
      const { texts } = currentCell(own);
      if (texts.size < STRING_SET_LIMIT) texts.add(text);
    },
  };
}

/**
 * A set of paths, such as the files that were read, kept small by cutting off where there are most.
 *
 * @example
 * ```ts
 * const sources = boundedTrie("sources");
 * paths.apply(map((path) => {
 *   sources.add(...path.split("/"));
 *   return path;
 * }));
 * ```
 */
export function boundedTrie(name: MetricName): BoundedTrieMetric {
  const own = definition(name, () => ({
    trie: new BoundedTrie(),
    report: report("bounded-trie", ({ trie }: { trie: BoundedTrie }) => trie.toNode()),
  }));
  return { add: (...segments) => currentCell(own).trie.add(segments) };
}

/** The `report` of a cell that always has a value. */
function report<T extends string, Cell, V>(type: T, valueOf: (cell: Cell) => V): (this: Cell) => { readonly type: T; readonly value: V } {
  return function (this: Cell) {
    return { type, value: valueOf(this) };
  };
}
