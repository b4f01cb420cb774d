import type { Metric, MetricType, MetricValues } from "../../portability/metrics/index.js";

/** What to look for among user metrics; what is left out may be anything. */
export interface MetricFilter<T extends MetricType = MetricType> {
  readonly name?: string;
  readonly namespace?: string;
  /** A transform's unique name, or the front of it up to a `/`: `count` also finds `count/key`. */
  readonly step?: string;
  readonly type?: T;
}

/** A metric of one step of a run. */
export interface UserMetric<T extends MetricType = MetricType> {
  readonly type: T;
  readonly step: string;
  readonly namespace: string;
  readonly name: string;
  /** Its value, with what failed attempts have added. */
  readonly attempted: MetricValues[T];
  /** Its value by committed bundles alone; undefined while none of them has used it. */
  readonly committed: MetricValues[T] | undefined;
}

/**
 * The user metrics of a run at one moment.
 *
 * @example
 * ```ts
 * const { user } = await run(wordcount, { input: "a.txt" }, local());
 * for (const { step, name, attempted } of user) console.log(step, name, attempted);
 * ```
 */
export class UserMetrics implements Iterable<UserMetric> {
  private readonly committed: ReadonlyMap<string, Metric>;

  constructor(
    private readonly metrics: readonly Metric[],
    committed: readonly Metric[] = metrics,
  ) {
    this.committed = new Map(committed.map((metric) => [idOf(metric), metric]));
  }

  /**
   * Those that fit a filter, in order of step, namespace and name.
   *
   * @example
   * ```ts
   * const [broken] = (await run(wordcount, {}, local())).user.query({ name: "broken lines", type: "counter" });
   * console.log(broken?.attempted ?? 0);
   * ```
   */
  query<T extends MetricType = MetricType>({ name, namespace, step, type }: MetricFilter<T> = {}): UserMetric<T>[] {
    return this.metrics
      .filter(
        (metric) =>
          (name === undefined || metric.name === name) &&
          (namespace === undefined || metric.namespace === namespace) &&
          (step === undefined || metric.transform === step || metric.transform.startsWith(`${step}/`)) &&
          (type === undefined || metric.type === type),
      )
      .map(
        (metric) =>
          ({
            type: metric.type,
            step: metric.transform,
            namespace: metric.namespace,
            name: metric.name,
            attempted: metric.value,
            committed: this.committed.get(idOf(metric))?.value,
          }) as UserMetric<T>,
      )
      .sort((a, b) => compare(a.step, b.step) || compare(a.namespace, b.namespace) || compare(a.name, b.name) || compare(a.type, b.type));
  }

  [Symbol.iterator](): Iterator<UserMetric> {
    return this.query().values();
  }
}

function idOf({ transform, namespace, name, type }: Metric): string {
  return JSON.stringify([transform, namespace, name, type]);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
