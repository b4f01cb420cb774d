import type { KV } from "../../portability/values/index.js";
import { kv } from "../../portability/values/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { coGroupByKey, pipelineOf } from "./co-group-by-key.js";
import { flatMap } from "./elementwise.js";

type Joined<K, L, R> = PTransform<PCollection<KV<K, L>>, PCollection<KV<K, readonly [left: L, right: R]>>>;

/**
 * All pairs of values that a key has in both PCollections, per window. Pairs are made one at a time, so that a key with many values
 * on both sides fits into memory.
 *
 * Of streams, what is in one window is joined when it ends, or, with triggers that fire earlier or later, in each pane what is in that pane: with
 * `panes: "accumulating"` that is all pairs so far. See `intervalJoin` for what need not be in one window, `joinByKey` for more than two.
 *
 * @example
 * ```ts
 * ordersByUser.apply(innerJoin(usersById)).apply(map(({ key, value: [order, user] }) => `${key}: ${user.name} paid ${order.amount}`));
 * ```
 */
export const innerJoin = <K, L, R>(other: PCollection<KV<K, R>>, name?: string): Joined<K, L, R> =>
  join(other, "innerJoin", name, false, false);

/**
 * As {@link innerJoin}, and each value of a key that the other PCollection does not have, with null.
 *
 * @example
 * ```ts
 * ordersByUser.apply(leftJoin(usersById)).apply(filter("of strangers", ({ value: [, user] }) => user === null));
 * ```
 */
export const leftJoin = <K, L, R>(other: PCollection<KV<K, R>>, name?: string): Joined<K, L, R | null> =>
  join(other, "leftJoin", name, true, false);

/**
 * As {@link innerJoin}, and each value of a key that only the other PCollection has, with null.
 *
 * @example
 * ```ts
 * ordersByUser.apply(rightJoin(usersById)).apply(filter("without orders", ({ value: [order] }) => order === null));
 * ```
 */
export const rightJoin = <K, L, R>(other: PCollection<KV<K, R>>, name?: string): Joined<K, L | null, R> =>
  join(other, "rightJoin", name, false, true) as unknown as Joined<K, L | null, R>;

/**
 * As {@link innerJoin}, and each value of a key that only one of them has, with null.
 *
 * @example
 * ```ts
 * ordersByUser.apply(fullJoin(usersById)).apply(filter("unmatched", ({ value: [order, user] }) => order === null || user === null));
 * ```
 */
export const fullJoin = <K, L, R>(
  other: PCollection<KV<K, R>>,
  name?: string,
): PTransform<PCollection<KV<K, L>>, PCollection<KV<K, readonly [left: L | null, right: R | null]>>> =>
  join(other, "fullJoin", name, true, true);

const MISSING: Iterable<null> = [null];

function join<K, L, R>(
  other: PCollection<KV<K, R>>,
  defaultName: string,
  name: string | undefined,
  keepLeft: boolean,
  keepRight: boolean,
): PTransform<PCollection<KV<K, L>>, PCollection<KV<K, readonly [never, never]>>> {
  return {
    name,
    defaultName,
    expand: (input) =>
      pipelineOf(input)
        .apply(coGroupByKey("meet", { left: input, right: other }))
        .apply(
          flatMap("pairs", function* ({ key, value: { left, right } }) {
            const lefts: Iterable<unknown> = keepRight && isEmpty(left) ? MISSING : left;
            const rights: Iterable<unknown> = keepLeft && isEmpty(right) ? MISSING : right;
            for (const l of lefts) for (const r of rights) yield kv(key as K, [l, r] as unknown as readonly [never, never]);
          }),
        ),
  };
}

/** Looks at one value, so that a group beyond memory is not read. @internal */
export function isEmpty(values: Iterable<unknown>): boolean {
  for (const _ of values) return false;
  return true;
}
