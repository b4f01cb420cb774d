import type { Window } from "../../portability/values/index.js";
import type { ReifiedWindow } from "../transforms/reify.js";
import { AssertionFailure } from "./assertions.js";
import { diffMultisets } from "./multiset-diff.js";
import { isOfKind, type PaneKind } from "./pane-kinds.js";

/**
 * Expectations of panes, each of which throws unless it holds.
 *
 * @example
 * ```ts
 * const panes = await runPipeline((p) => p.apply(create(["a"])).apply(countGlobally()).apply(reifyWindows()));
 * const expectations: PaneExpectations<number> = expectPanes(panes);
 * expectations.onTime([1]).final([1]);
 * ```
 */
export class PaneExpectations<T> {
  /** @internal Use `expectPanes()`. */
  constructor(
    private readonly panes: readonly ReifiedWindow<T>[],
    private readonly where: string,
  ) {}

  /** Exactly these values were emitted before the end of their window, in any order. */
  early(values: Iterable<T>): this {
    return this.are("early", values);
  }

  /** Exactly these values were in the first pane behind the end of their window. */
  onTime(values: Iterable<T>): this {
    return this.are("on time", values);
  }

  /** Exactly these values were emitted behind the pane on time. */
  late(values: Iterable<T>): this {
    return this.are("late", values);
  }

  /** Exactly these values were in the last pane of their window. */
  final(values: Iterable<T>): this {
    return this.are("final", values);
  }

  /** Expectations of the panes of one window. */
  inWindow(window: Window): PaneExpectations<T> {
    const text = window.toString();
    return new PaneExpectations(
      this.panes.filter((pane) => pane.window.toString() === text),
      ` in ${text}`,
    );
  }

  private are(kind: PaneKind, values: Iterable<T>): this {
    const found = this.panes.filter(({ pane }) => isOfKind(pane, kind)).map(({ value }) => value);
    const diff = diffMultisets(found, [...values]);
    if (diff !== undefined) throw new AssertionFailure(`values of panes that are ${kind}${this.where}: ${diff}`);
    return this;
  }
}

/**
 * Expectations of what `reifyWindows()` gave, by the kind of panes and by window.
 *
 * @throws AssertionFailure with the difference, by each expectation that does not hold
 * @example
 * ```ts
 * const counts = await runPipeline((p) =>
 *   p
 *     .apply(testStream<string>().at(0, "a", "a").watermark(minutes(1)))
 *     .apply(windowInto(fixed(minutes(1))))
 *     .apply(countPerElement())
 *     .apply(reifyWindows()),
 * );
 * expectPanes(counts).inWindow(new IntervalWindow(0, minutes(1))).onTime([kv("a", 2)]).late([]);
 * ```
 */
export function expectPanes<T>(panes: readonly ReifiedWindow<T>[]): PaneExpectations<T> {
  return new PaneExpectations(panes, "");
}
