import { BoundedTrie, STRING_SET_LIMIT, type Gauge } from "../../portability/metrics/index.js";
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

class CounterCell implements MetricCell {
  n = 0;
  report() {
    return { type: "counter", value: this.n } as const;
  }
  moveTo(other: this): void {
    other.n += this.n;
    this.n = 0;
  }
}

class DistributionCell implements MetricCell {
  count = 0;
  sum = 0;
  min = Infinity;
  max = -Infinity;
  report() {
    const { count, sum, min, max } = this;
    return { type: "distribution", value: { count, sum, min, max } } as const;
  }
  moveTo(other: this): void {
    other.count += this.count;
    other.sum += this.sum;
    other.min = Math.min(other.min, this.min);
    other.max = Math.max(other.max, this.max);
    this.count = this.sum = 0;
    this.min = Infinity;
    this.max = -Infinity;
  }
}

class GaugeCell implements MetricCell {
  last: Gauge | undefined;
  report() {
    return this.last === undefined ? undefined : ({ type: "gauge", value: this.last } as const);
  }
  moveTo(other: this): void {
    if (this.last !== undefined) other.last = this.last;
    this.last = undefined;
  }
}

class StringSetCell implements MetricCell {
  readonly texts = new Set<string>();
  add(text: string): void {
    if (this.texts.size < STRING_SET_LIMIT) this.texts.add(text);
  }
  report() {
    return { type: "string-set", value: [...this.texts].sort() } as const;
  }
  moveTo(other: this): void {
    for (const text of this.texts) other.add(text);
    this.texts.clear();
  }
}

class TrieCell implements MetricCell {
  trie = new BoundedTrie();
  report() {
    return { type: "bounded-trie", value: this.trie.toNode() } as const;
  }
  moveTo(other: this): void {
    other.trie.merge(this.trie.toNode());
    this.trie = new BoundedTrie();
  }
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
  const own = definition(name, () => new CounterCell());
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
  const own = definition(name, () => new DistributionCell());
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
  const own = definition(name, () => new GaugeCell());
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
  const own = definition(name, () => new StringSetCell());
  return { add: (text) => currentCell(own).add(text) };
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
  const own = definition(name, () => new TrieCell());
  return { add: (...segments) => currentCell(own).trie.add(segments) };
}
