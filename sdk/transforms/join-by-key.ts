import { kv, type KV } from "../../portability/values/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { Pipeline } from "../model/pipeline.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import type { PTransform } from "../model/ptransform.js";
import { coGroupByKey } from "./co-group-by-key.js";
import { flatMap } from "./elementwise.js";
import { isEmpty } from "./joins.js";

type Inputs = Readonly<Record<string, PCollection<KV<unknown, unknown>>>>;
type KeyOf<I> = I[keyof I] extends PCollection<KV<infer K, unknown>> ? K : never;
type ValueOf<P> = P extends PCollection<KV<infer _K, infer V>> ? V : never;

/** A value of each input, by its name; null where an optional one has none. */
export type JoinedValues<I, Optional> = { readonly [Name in keyof I]: ValueOf<I[Name]> | (Name extends Optional ? null : never) };

/** Options of {@link joinByKey}. */
export interface JoinByKeyOptions<Optional extends string> {
  /** The inputs that need not have a value of a key. None: an inner join. All: a full join. */
  readonly optional?: readonly Optional[];
}

/**
 * Joins any number of keyed PCollections, by key and window: for each key all combinations of a value of each of them. Apply it to the pipeline.
 * Combinations are made one at a time.
 *
 * For streams, give all of them the same windows, in which they meet when the window ends. With triggers that fire more often a pane joins what is in
 * that pane: choose `panes: "accumulating"`, so that values of different panes meet, and each pane has all combinations so far. Where what belongs
 * together may be on both sides of a window's end, use `intervalJoin`.
 *
 * @throws PipelineError at construction for a key coder that is not deterministic, for inputs whose keys are encoded differently, or that are windowed
 *   differently, and for an optional input that is none
 * @example
 * ```ts
 * p.apply(joinByKey({ order: ordersByUser, user: usersById, visit: visitsByUser }, { optional: ["visit"] })).apply(
 *   map(({ value: { order, user, visit } }) => `${user.name} paid ${order.amount} behind ${visit ?? "no visit"}`),
 * );
 * ```
 */
export function joinByKey<I extends Inputs, const Optional extends keyof I & string = never>(
  inputs: I,
  options?: JoinByKeyOptions<Optional>,
): PTransform<Pipeline, PCollection<KV<KeyOf<I>, JoinedValues<I, Optional>>>>;
export function joinByKey<I extends Inputs, const Optional extends keyof I & string = never>(
  name: string,
  inputs: I,
  options?: JoinByKeyOptions<Optional>,
): PTransform<Pipeline, PCollection<KV<KeyOf<I>, JoinedValues<I, Optional>>>>;
export function joinByKey(
  ...args: [string, Inputs, JoinByKeyOptions<string>?] | [Inputs, JoinByKeyOptions<string>?]
): PTransform<Pipeline, PCollection<never>> {
  const [name, inputs, { optional = [] } = {}] =
    typeof args[0] === "string"
      ? [args[0], args[1] as Inputs, args[2]]
      : [undefined, args[0], args[1] as JoinByKeyOptions<string> | undefined];
  const names = Object.keys(inputs);
  for (const each of optional)
    if (!names.includes(each))
      throw new PipelineError("no_input", `joinByKey() has no input "${each}" that could be optional; there are ${names.join(", ")}`);
  return {
    name,
    defaultName: "joinByKey",
    expand: (p) =>
      p.apply(coGroupByKey("meet", inputs)).apply(
        flatMap("combinations", function* ({ key, value }: KV<unknown, Readonly<Record<string, Iterable<unknown>>>>) {
          const values = names.map((each) => (optional.includes(each) && isEmpty(value[each]) ? MISSING : value[each]));
          for (const combination of combinations(values))
            yield kv(key, Object.fromEntries(names.map((each, i) => [each, combination[i]]))) as never;
        }),
      ),
  };
}

const MISSING: Iterable<null> = [null];

/** One of each, in all ways; the array is the same one each time. */
function* combinations(from: readonly Iterable<unknown>[], chosen: unknown[] = [], at = 0): Iterable<readonly unknown[]> {
  if (at === from.length) return yield chosen;
  for (chosen[at] of from[at]) yield* combinations(from, chosen, at + 1);
}
