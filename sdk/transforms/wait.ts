import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import type { SideInput } from "../model/side-input.js";
import { composite } from "../model/ptransform.js";
import { filter } from "./elementwise.js";
import { asIterable } from "./side-inputs.js";
import { never } from "./triggers.js";
import { windowInto } from "./window-into.js";

/**
 * Elements go on when their windows of all `signals` are over: their ends, and the lateness that these allow, are behind the signals'
 * watermarks (Beam's `Wait.on`). What the signals contain does not matter, and nothing of it is kept. An element's window of a signal is the one
 * that holds the last instant of its own; signals in the global window are over when their input ends, or the run is drained.
 *
 * @throws PipelineError at construction for a signal whose windows merge
 * @example
 * ```ts
 * const written = orders.apply(map("write", (order) => console.log("wrote", order.amount)));
 * orders.apply(wait.on(written)).apply(map("announce", (order) => console.log("announced", order.amount)));
 * ```
 */
function on<T>(...signals: readonly PCollection<unknown>[]): PTransform<PCollection<T>, PCollection<T>> {
  if (signals.length === 0) throw new RangeError("wait.on() needs a signal to wait for");
  return {
    name: undefined,
    defaultName: "wait.on",
    expand(input) {
      const over = signals.map((signal, i) => [`signal ${i + 1}`, endOf(signal, `end of signal ${i + 1}`)] as const);
      return input.apply(filter("wait", () => true, { with: Object.fromEntries(over) }));
    },
  };
}

/** A side input without elements; of a window that has never a pane it is known to have none when it is over. */
function endOf(signal: PCollection<unknown>, name: string): SideInput<unknown> {
  const { windowFn, allowedLatenessMs } = signal.windowing;
  return asIterable(
    (signal as PCollection<never>).apply(
      composite(name, (elements: PCollection<never>) =>
        elements.apply(filter("nothing", () => false)).apply(windowInto("windows", windowFn, { trigger: never(), allowedLatenessMs })),
      ),
    ),
  );
}

/**
 * Makes elements wait.
 *
 * @example
 * ```ts
 * const written = orders.apply(map("write", (order) => console.log("wrote", order.amount)));
 * orders.apply(wait.on(written)).apply(map("announce", (order) => console.log("announced", order.amount)));
 * ```
 */
export const wait = { on };
