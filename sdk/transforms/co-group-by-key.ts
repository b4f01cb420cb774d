import { kvCoder, unionCoder, type Coder, type Tagged } from "../../portability/coders/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import { kv, type KV } from "../../portability/values/index.js";
import type { PCollection } from "../model/pcollection.js";
import { Pipeline } from "../model/pipeline.js";
import type { PTransform } from "../model/ptransform.js";
import { flatten } from "./flatten.js";
import { groupByKey } from "./group-by-key.js";
import { keyedCoders } from "./keyed-coder.js";
import { elementwise } from "./par-do.js";

type KeyedInputs<K> = Readonly<Record<string, PCollection<KV<K, unknown>>>>;
type KeyOf<I> = I[keyof I] extends PCollection<KV<infer K, unknown>> ? K : never;
/** For each input the values that it has of a key. */
export type CoGroups<I> = { readonly [Name in keyof I]: I[Name] extends PCollection<KV<infer _K, infer V>> ? Iterable<V> : never };

/**
 * Brings together, per key and window, the values of several keyed PCollections. A key of any of them has a result; where an input
 * has no values of it, its iterable is empty. Apply it to the pipeline.
 *
 * @throws PipelineError at construction for a key coder that is not deterministic, for inputs whose keys are encoded differently, or
 *   that are windowed differently
 * @example
 * ```ts
 * p.apply(coGroupByKey({ orders: ordersByUser, users: usersById })).apply(
 *   map(({ key, value: { orders, users: [user] } }) => `${key}, ${user?.name}: ${[...orders].length} orders`),
 * );
 * ```
 */
export function coGroupByKey<I extends KeyedInputs<never> | KeyedInputs<unknown>>(
  inputs: I,
): PTransform<Pipeline, PCollection<KV<KeyOf<I>, CoGroups<I>>>>;
export function coGroupByKey<I extends KeyedInputs<never> | KeyedInputs<unknown>>(
  name: string,
  inputs: I,
): PTransform<Pipeline, PCollection<KV<KeyOf<I>, CoGroups<I>>>>;
export function coGroupByKey(
  ...args: [string, KeyedInputs<unknown>] | [KeyedInputs<unknown>]
): PTransform<Pipeline, PCollection<KV<unknown, Record<string, Iterable<unknown>>>>> {
  const [name, inputs] = args.length === 2 ? args : [undefined, args[0]];
  return { name, defaultName: "coGroupByKey", expand: (p) => coGroup(p, inputs) };
}

function coGroup(p: Pipeline, inputs: KeyedInputs<unknown>): PCollection<KV<unknown, Record<string, Iterable<unknown>>>> {
  const names = Object.keys(inputs);
  if (names.length === 0) throw new PipelineError("empty_co_group", "coGroupByKey needs at least one PCollection");
  const coders = names.map((name) => keyedCoders(inputs[name]));
  const coder = kvCoder(commonKeyCoder(p, coders), unionCoder(coders.map(({ valueCoder }) => valueCoder))) as Coder<unknown>;
  const tagged = names.map((name, kind) =>
    inputs[name].apply(
      elementwise<KV<unknown, unknown>, KV<unknown, Tagged>>(
        `tag ${name}`,
        "tag",
        { kind: "map", fn: ({ key, value }: KV<unknown, unknown>) => kv(key, [kind, value]), concurrency: 1 },
        () => coder,
      ),
    ),
  );
  return p
    .apply(flatten("all", tagged))
    .apply(groupByKey("group"))
    .apply(
      elementwise("separate", "separate", {
        kind: "map",
        fn: ({ key, value }: KV<unknown, Iterable<Tagged>>) => kv(key, separate(names, value)),
        concurrency: 1,
      }),
    );
}

/** Keys meet by their bytes, so all inputs must encode them alike. @internal */
export function commonKeyCoder(p: Pipeline, coders: readonly { readonly keyCoder: Coder<unknown> }[]): Coder<unknown> {
  const [{ keyCoder: first }, ...others] = coders;
  for (const { keyCoder } of others)
    if (keyCoder.urn !== first.urn)
      throw new PipelineError(
        "different_keys",
        `transform "${p.graph.currentName}" joins keys that are encoded by ${first.urn} with keys that are encoded by ${keyCoder.urn}; ` +
          `give the inputs the same key coder with withCoder()`,
      );
  return first;
}

function separate(names: readonly string[], values: Iterable<Tagged>): Record<string, Iterable<unknown>> {
  if (!Array.isArray(values)) return Object.fromEntries(names.map((name, kind) => [name, new OfKind(values, kind)]));
  const groups = names.map((): unknown[] => []);
  for (const [kind, value] of values as readonly Tagged[]) groups[kind].push(value);
  return Object.fromEntries(names.map((name, kind) => [name, groups[kind]]));
}

/** The values of one kind among those of a group that may exceed memory: found anew by each iteration. */
class OfKind implements Iterable<unknown> {
  constructor(
    private readonly values: Iterable<Tagged>,
    private readonly kind: number,
  ) {}

  *[Symbol.iterator](): Iterator<unknown> {
    for (const [kind, value] of this.values) if (kind === this.kind) yield value;
  }
}

/** The pipeline that a PCollection belongs to, for transforms of several inputs that are applied to one of them. @internal */
export function pipelineOf(pcollection: PCollection<unknown>): Pipeline {
  return new Pipeline(pcollection.graph);
}
