import { doubleCoder, kvCoder, type Coder } from "../../portability/coders/index.js";
import type { KV, PaneInfo, Timestamp, Window } from "../../portability/values/index.js";
import { kv } from "../../portability/values/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import type { ElementContext } from "../model/do-fn.js";
import { anyValue } from "./element-coder.js";
import { componentCoder } from "./keyed-coder.js";
import { elementwise } from "./par-do.js";

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
export const reifyTimestamps = <T>(name?: string): PTransform<PCollection<T>, PCollection<Reified<T>>> =>
  elementwise(
    name,
    "reifyTimestamps",
    { kind: "map", fn: (value: T, { timestamp }: ElementContext): Reified<T> => ({ value, timestamp }), concurrency: 1 },
    ({ coder }) => reifiedCoder(coder),
  );

/**
 * Each element with its timestamp, window and pane, as a value, once for each of its windows.
 *
 * @example
 * ```ts
 * counts.apply(reifyWindows()).apply(map(({ value, window }) => ({ until: window.maxTimestamp + 1, count: value })));
 * ```
 */
export const reifyWindows = <T>(name?: string): PTransform<PCollection<T>, PCollection<ReifiedWindow<T>>> =>
  elementwise(name, "reifyWindows", {
    kind: "map",
    fn: (value: T, { timestamp, window, pane }: ElementContext): ReifiedWindow<T> => ({ value, timestamp, window, pane }),
    concurrency: 1,
  });

/**
 * Each value of keyed elements with its timestamp, as a value.
 *
 * @example
 * ```ts
 * readings.apply(reifyTimestampsOfValues()).apply(groupByKey());
 * ```
 */
export const reifyTimestampsOfValues = <K, V>(name?: string): PTransform<PCollection<KV<K, V>>, PCollection<KV<K, Reified<V>>>> =>
  elementwise(
    name,
    "reifyTimestampsOfValues",
    { kind: "map", fn: ({ key, value }: KV<K, V>, { timestamp }: ElementContext) => kv(key, { value, timestamp }), concurrency: 1 },
    ({ coder }) => kvCoder(componentCoder(coder, 0), reifiedCoder(componentCoder(coder, 1))),
  );

/** A value by its own coder, and its timestamp. @internal */
export function reifiedCoder(values: Coder<unknown>): Coder<unknown> {
  if (values === anyValue) return anyValue;
  const coder: Coder<Reified<unknown>> = {
    urn: "beamstorm:coder:reified:v1",
    components: [values],
    deterministic: values.deterministic,
    encode({ value, timestamp }, writer, nested) {
      doubleCoder.encode(timestamp, writer, true);
      values.encode(value, writer, nested);
    },
    decode(reader, nested) {
      const timestamp = doubleCoder.decode(reader, true);
      return { value: values.decode(reader, nested), timestamp };
    },
  };
  return coder as Coder<unknown>;
}
