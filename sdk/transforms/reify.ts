import type { KV, PaneInfo, Timestamp, Window } from "../../portability/values/index.js";
import { kv } from "../../portability/values/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { map } from "./elementwise.js";

/** An element and what is known about it. */
export interface Reified<T> {
  readonly value: T;
  readonly timestamp: Timestamp;
}

/** An element in one window, with all that is known about it. */
export interface ReifiedWindow<T> extends Reified<T> {
  readonly window: Window;
  readonly pane: PaneInfo;
}

/**
 * Each element with its timestamp, as a value.
 *
 * @example
 * ```ts
 * clicks.apply(reifyTimestamps()).apply(map(({ value, timestamp }) => `${formatTimestamp(timestamp)} ${value.page}`));
 * ```
 */
export const reifyTimestamps = <T>(name = "reifyTimestamps"): PTransform<PCollection<T>, PCollection<Reified<T>>> =>
  unnamed(
    map(name, (value: T, { timestamp }) => ({ value, timestamp })),
    name,
    "reifyTimestamps",
  );

/**
 * Each element with its timestamp, window and pane, as a value, once for each of its windows.
 *
 * @example
 * ```ts
 * counts.apply(reifyWindows()).apply(map(({ value, window }) => ({ until: window.maxTimestamp + 1, count: value })));
 * ```
 */
export const reifyWindows = <T>(name = "reifyWindows"): PTransform<PCollection<T>, PCollection<ReifiedWindow<T>>> =>
  unnamed(
    map(name, (value: T, { timestamp, window, pane }) => ({ value, timestamp, window, pane })),
    name,
    "reifyWindows",
  );

/**
 * Each value of keyed elements with its timestamp, as a value.
 *
 * @example
 * ```ts
 * readings.apply(reifyTimestampsOfValues()).apply(groupByKey());
 * ```
 */
export const reifyTimestampsOfValues = <K, V>(
  name = "reifyTimestampsOfValues",
): PTransform<PCollection<KV<K, V>>, PCollection<KV<K, Reified<V>>>> =>
  unnamed(
    map(name, ({ key, value }: KV<K, V>, { timestamp }) => kv(key, { value, timestamp })),
    name,
    "reifyTimestampsOfValues",
  );

/** Without a name of the author's, so that it may be applied several times in one scope. */
function unnamed<In, Out>(transform: PTransform<In, Out>, name: string, defaultName: string): PTransform<In, Out> {
  return name === defaultName ? { ...transform, name: undefined, defaultName } : transform;
}
