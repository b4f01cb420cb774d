// Assertions inside a pipeline: they are transforms, so they hold on any runner and any number of workers.
//
// A1. An assertion always sees a marker besides the elements, so it runs even when its input is empty.
// A2. An assertion that never ran is an error too: it is listed in the graph, and who runs the pipeline looks whether the
//     transform has put anything out.
import { kv, type KV } from "../../portability/values/index.js";
import { renderElement } from "../../portability/stage-host/index.js";
import type { PCollection } from "../model/pcollection.js";
import { Pipeline } from "../model/pipeline.js";
import type { PTransform } from "../model/ptransform.js";
import { create } from "../transforms/create.js";
import { flatten } from "../transforms/flatten.js";
import { groupByKey } from "../transforms/group-by-key.js";
import { map } from "../transforms/elementwise.js";
import { global, windowInto } from "../transforms/window-into.js";
import { diffMultisets } from "./multiset-diff.js";

/**
 * An assertion in a pipeline did not hold.
 *
 * @example
 * ```ts
 * const failing = pipeline((p) => p.apply(create([1])).apply(assertElements([2])));
 * await run(failing, {}, local()).catch((error: Error) => console.log(error.cause instanceof AssertionFailure));
 * ```
 */
export class AssertionFailure extends Error {
  override readonly name = "AssertionFailure";
}

type Marked<T> = { readonly element: T } | null;

/** The transform behind every assertion: calls `check` once with all elements of the input, of all windows. */
function assertion<T>(name: string, check: (elements: T[]) => void): PTransform<PCollection<T>, PCollection<number>> {
  return {
    name: undefined,
    defaultName: name,
    expand(input) {
      const p = new Pipeline(input.graph);
      input.graph.assertions.push(`${input.graph.currentName}/check`); // A2
      const marker = p.apply(create<KV<number, Marked<T>>>("marker", [kv(0, null)]));
      const elements = input.apply(windowInto("all", global())).apply(map("mark", (element): KV<number, Marked<T>> => kv(0, { element })));
      return p
        .apply(flatten("with marker", [elements, marker]))
        .apply(groupByKey("gather"))
        .apply(
          map("check", ({ value }) => {
            const found: T[] = [];
            for (const item of value) if (item !== null) found.push(item.element);
            check(found);
            return found.length;
          }),
        );
    },
  };
}

/**
 * Fails the run, with a diff, unless the PCollection has exactly the expected elements, in any order.
 *
 * @example `counts.apply(assertElements([kv("a", 2)]))`
 */
export function assertElements<T>(expected: Iterable<T>): PTransform<PCollection<T>, PCollection<number>> {
  const wanted = [...expected];
  return assertion<T>("assertElements", (found) => {
    const diff = diffMultisets(found, wanted);
    if (diff !== undefined) throw new AssertionFailure(diff);
  });
}

/**
 * Fails the run unless the PCollection is empty.
 *
 * @example
 * ```ts
 * words.apply(filter((word) => word === "")).apply(assertEmpty());
 * ```
 */
export function assertEmpty(): PTransform<PCollection<unknown>, PCollection<number>> {
  return assertElements<unknown>([]);
}

/**
 * Fails the run unless `predicate` accepts the array of all elements; say in `expectation` what it accepts.
 *
 * @example
 * ```ts
 * numbers.apply(assertSatisfies("at most a hundred numbers", (found) => found.length <= 100));
 * ```
 */
export function assertSatisfies<T>(
  expectation: string,
  predicate: (elements: T[]) => boolean,
): PTransform<PCollection<T>, PCollection<number>> {
  return assertion<T>("assertSatisfies", (found) => {
    if (!predicate(found)) throw new AssertionFailure(`expected ${expectation}, got ${renderElement(found, 1000)}`);
  });
}
