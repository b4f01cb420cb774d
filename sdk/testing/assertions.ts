// Assertions inside a pipeline: they are transforms, so they hold on any runner and any number of workers.
//
// A1. An assertion always sees a marker besides the elements, so it runs even when its input is empty.
// A2. An assertion that never ran is an error too: it is listed in the graph, and who runs the pipeline looks whether the
//     transform has put anything out.
import { kv, type KV, type Window } from "../../portability/values/index.js";
import { PermanentError, renderElement } from "../../portability/stage-host/index.js";
import type { ElementContext } from "../model/do-fn.js";
import type { PCollection } from "../model/pcollection.js";
import { Pipeline } from "../model/pipeline.js";
import type { PTransform } from "../model/ptransform.js";
import { create } from "../transforms/create.js";
import { flatten } from "../transforms/flatten.js";
import { groupByKey } from "../transforms/group-by-key.js";
import { filter, map } from "../transforms/elementwise.js";
import { global, windowInto } from "../transforms/window-into.js";
import { never } from "../transforms/triggers.js";
import { diffMultisets } from "./multiset-diff.js";
import { isOfKind, type PaneKind } from "./pane-kinds.js";

/**
 * An assertion in a pipeline did not hold.
 *
 * @example
 * ```ts
 * const failing = pipeline((p) => p.apply(create([1])).apply(assertElements([2])));
 * await run(failing, {}, local()).catch((error: Error) => console.log(error.cause instanceof AssertionFailure));
 * ```
 */
export class AssertionFailure extends PermanentError {
  override readonly name: string = "AssertionFailure";
}

/** Which elements an assertion is about: all, unless something is said. */
export interface PaneFilter {
  readonly window?: Window;
  readonly pane?: PaneKind;
}

function isIn({ window, pane }: PaneFilter): (element: unknown, context: ElementContext) => boolean {
  const text = window?.toString();
  return (_element, context) =>
    (text === undefined || context.window.toString() === text) && (pane === undefined || isOfKind(context.pane, pane));
}

type Marked<T> = { readonly element: T } | null;

/** The transform behind every assertion: calls `check` once with all elements of the input, of all windows. */
function assertion<T>(
  name: string,
  check: (elements: T[]) => void,
  where: PaneFilter = {},
): PTransform<PCollection<T>, PCollection<number>> {
  return {
    name: undefined,
    defaultName: name,
    expand(input) {
      const p = new Pipeline(input.graph);
      input.graph.assertions.push(`${input.graph.currentName}/check`); // A2
      const chosen = where.window === undefined && where.pane === undefined ? input : input.apply(filter<T>("where", isIn(where)));
      // An unbounded input comes to an end in a test: then what has gathered is looked at.
      const atEnd = input.isBounded ? {} : { trigger: never() };
      const elements = chosen
        .apply(windowInto("all", global(), atEnd))
        .apply(map("mark", (element): KV<number, Marked<T>> => kv(0, { element })));
      const marker = p.apply(create<KV<number, Marked<T>>>("marker", [kv(0, null)])).apply(windowInto("marked", global(), atEnd));
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
 * @param where looks only at the elements of a window, or of panes of a kind
 * @example
 * ```ts
 * p.apply(create(["a", "a"]))
 *   .apply(withTimestamps(() => 0))
 *   .apply(windowInto(fixed(minutes(1))))
 *   .apply(countPerElement())
 *   .apply(assertElements([kv("a", 2)], { window: new IntervalWindow(0, minutes(1)), pane: "on time" }));
 * ```
 */
export function assertElements<T>(expected: Iterable<T>, where?: PaneFilter): PTransform<PCollection<T>, PCollection<number>> {
  const wanted = [...expected];
  const check = (found: T[]): void => {
    const diff = diffMultisets(found, wanted);
    if (diff !== undefined) throw new AssertionFailure(diff);
  };
  return assertion<T>("assertElements", check, where);
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
