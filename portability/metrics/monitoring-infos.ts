// Metrics as Beam's MonitoringInfos: which URN and payload each type has. A metric of a type that is not known here is none.
import { ByteReader, ByteWriter, iterableCoder, utf8Coder } from "../coders/index.js";
import { beam } from "../protos/index.js";
import { METRIC, METRIC_LABEL, METRIC_TYPE } from "../urns/index.js";
import { mergeMetrics, type Distribution, type Gauge, type Metric, type MetricType, type MetricValues } from "./metric.js";
import { TRIE_BOUND, type TrieNode } from "./trie.js";

const strings = iterableCoder(utf8Coder);

/** How the value of one type is named and encoded. Numbers on the wire are whole: fractions are rounded. */
interface Encoding<V> {
  readonly urn: string;
  readonly type: string;
  encode(value: V): Uint8Array;
  decode(payload: Uint8Array): V;
}

/** A value of whatever metric. */
export type TypedValue = { readonly [T in MetricType]: { readonly type: T; readonly value: MetricValues[T] } }[MetricType];

const ENCODINGS: { readonly [T in MetricType]: Encoding<MetricValues[T]> } = {
  counter: {
    urn: METRIC.USER_SUM_INT64,
    type: METRIC_TYPE.SUM_INT64_TYPE,
    encode: (value) => varints(value),
    decode: (payload) => new ByteReader(payload).readVarint(),
  },
  distribution: {
    urn: METRIC.USER_DISTRIBUTION_INT64,
    type: METRIC_TYPE.DISTRIBUTION_INT64_TYPE,
    encode: ({ count, sum, min, max }: Distribution) => (count === 0 ? varints(0, 0, 0, 0) : varints(count, sum, min, max)),
    decode(payload) {
      const reader = new ByteReader(payload);
      const [count, sum, min, max] = [reader.readVarint(), reader.readVarint(), reader.readVarint(), reader.readVarint()];
      return count === 0 ? { count, sum, min: Infinity, max: -Infinity } : { count, sum, min, max };
    },
  },
  gauge: {
    urn: METRIC.USER_LATEST_INT64,
    type: METRIC_TYPE.LATEST_INT64_TYPE,
    encode: ({ value, time }: Gauge) => varints(time, value),
    decode(payload) {
      const reader = new ByteReader(payload);
      const time = reader.readVarint();
      return { value: reader.readVarint(), time };
    },
  },
  "string-set": {
    urn: METRIC.USER_SET_STRING,
    type: METRIC_TYPE.SET_STRING_TYPE,
    encode(values) {
      const writer = new ByteWriter();
      strings.encode(values, writer, true);
      return writer.view().slice();
    },
    decode: (payload) => [...strings.decode(new ByteReader(payload), true)].sort(),
  },
  "bounded-trie": {
    urn: METRIC.USER_BOUNDED_TRIE,
    type: METRIC_TYPE.BOUNDED_TRIE_TYPE,
    encode: (trie) => beam.pipeline.BoundedTrie.encode({ bound: TRIE_BOUND, root: trie }).finish(),
    decode(payload) {
      const { root, singleton } = beam.pipeline.BoundedTrie.decode(payload);
      if (singleton.length > 0) return singleton.reduceRight<TrieNode>((child, segment) => ({ children: { [segment]: child } }), {});
      return root ? trieOf(root) : {};
    },
  },
};

/**
 * A user metric as Beam's message.
 *
 * @example
 * ```ts
 * const info = metricToMonitoringInfo({ transform: "ask", namespace: "", name: "requests", type: "counter", value: 2 });
 * ```
 */
export function metricToMonitoringInfo(metric: Metric): beam.pipeline.IMonitoringInfo {
  const { transform, namespace, name } = metric;
  // The entry and the value belong to the same type; TypeScript does not follow that through the union.
  const encoding = ENCODINGS[metric.type] as Encoding<unknown>;
  return {
    urn: encoding.urn,
    type: encoding.type,
    payload: encoding.encode(metric.value),
    labels: { [METRIC_LABEL.TRANSFORM]: transform, [METRIC_LABEL.NAMESPACE]: namespace, [METRIC_LABEL.NAME]: name },
  };
}

/**
 * The user metric that a message of Beam's tells, or undefined where it tells something else.
 *
 * @throws CoderError for a payload that does not fit its URN
 * @example
 * ```ts
 * const info = metricToMonitoringInfo({ transform: "ask", namespace: "", name: "requests", type: "counter", value: 2 });
 * const same = metricFromMonitoringInfo(info);
 * ```
 */
export function metricFromMonitoringInfo({ urn, payload, labels }: beam.pipeline.IMonitoringInfo): Metric | undefined {
  const type = (Object.keys(ENCODINGS) as MetricType[]).find((candidate) => ENCODINGS[candidate].urn === urn);
  if (type === undefined) return undefined;
  const label = (name: string): string => labels?.[name] ?? "";
  return {
    type,
    transform: label(METRIC_LABEL.TRANSFORM),
    namespace: label(METRIC_LABEL.NAMESPACE),
    name: label(METRIC_LABEL.NAME),
    value: ENCODINGS[type].decode(payload ?? new Uint8Array()),
  } as Metric;
}

/**
 * Metrics of several processes as one each: of the same URN and labels, values are merged as their type says; of a type that is not known here the
 * last one is taken, and so it is of values that cannot be read.
 *
 * @example
 * ```ts
 * const info = metricToMonitoringInfo({ transform: "ask", namespace: "", name: "requests", type: "counter", value: 2 });
 * const [both] = mergeMonitoringInfos([info, info]);
 * ```
 */
export function mergeMonitoringInfos(infos: Iterable<beam.pipeline.IMonitoringInfo>): beam.pipeline.IMonitoringInfo[] {
  const merged = new Map<string, beam.pipeline.IMonitoringInfo>();
  for (const info of infos) {
    const id = JSON.stringify([info.urn, info.type, Object.entries(info.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))]);
    const before = merged.get(id);
    merged.set(id, before === undefined ? info : mergeTwo(before, info));
  }
  return [...merged.values()];
}

function mergeTwo(a: beam.pipeline.IMonitoringInfo, b: beam.pipeline.IMonitoringInfo): beam.pipeline.IMonitoringInfo {
  const values = [readMonitoringInfo(a), readMonitoringInfo(b)];
  const [sum] = values.includes(undefined)
    ? []
    : mergeMetrics(values.map((value) => ({ ...value!, transform: "", namespace: "", name: "" })));
  return sum === undefined ? b : { ...b, payload: (ENCODINGS[sum.type] as Encoding<unknown>).encode(sum.value) };
}

/**
 * What a message of Beam's says by its type alone, whatever it is of; undefined for a type that is not known here, and for what cannot be read.
 *
 * @example
 * ```ts
 * const info = metricToMonitoringInfo({ transform: "ask", namespace: "", name: "requests", type: "counter", value: 2 });
 * console.log(readMonitoringInfo(info)?.value);
 * ```
 */
export function readMonitoringInfo({ type, payload }: beam.pipeline.IMonitoringInfo): TypedValue | undefined {
  const known = (Object.keys(ENCODINGS) as MetricType[]).find((candidate) => ENCODINGS[candidate].type === type);
  if (known === undefined) return undefined;
  try {
    return { type: known, value: ENCODINGS[known].decode(payload ?? new Uint8Array()) } as TypedValue;
  } catch {
    return undefined;
  }
}

function varints(...values: readonly number[]): Uint8Array {
  const writer = new ByteWriter();
  for (const value of values) writer.writeVarint(Math.round(value));
  return writer.view().slice();
}

function trieOf({ truncated, children }: beam.pipeline.IBoundedTrieNode): TrieNode {
  if (truncated === true) return { truncated: true };
  const entries = Object.entries(children ?? {});
  return entries.length === 0 ? {} : { children: Object.fromEntries(entries.map(([segment, child]) => [segment, trieOf(child)])) };
}
