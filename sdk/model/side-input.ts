import { SlidingWindows } from "../../portability/windows/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import type { PCollection } from "./pcollection.js";

/** In which shape a function sees the elements of a side input. */
export type ViewKind = "singleton" | "iterable" | "list" | "map" | "multimap";

/**
 * A PCollection that a function reads whole, beside its main input, in one window at a time: what `asMap` and its like make.
 *
 * @typeParam View what the function receives.
 */
export interface SideInput<View> {
  readonly kind: ViewKind;
  /** @internal */
  readonly pcollection: PCollection<unknown>;
  /** What a singleton is without an element; undefined if that is an error. */
  readonly fallback: { readonly value: unknown } | undefined;
  /** Only for the type checker. */
  readonly viewType?: () => View;
}

/** The side inputs of a function, by the names under which it receives them. */
export type SideInputs = Readonly<Record<string, SideInput<unknown>>>;

/** What a function receives for declared side inputs. */
export type SideInputViews<S extends SideInputs> = { readonly [Name in keyof S]: S[Name] extends SideInput<infer View> ? View : never };

/** Begins the name of the input by which a transform reads a side input. */
export const SIDE_INPUT_TAG = "side.";

/** Names that the context of a function has already. */
const TAKEN: ReadonlySet<string> = new Set(["timestamp", "window", "pane", "emit", "local", "meta", "active", "held", "state", "timers"]);
/** Those of a splittable ParDo besides. */
const TAKEN_BY_SPLITTABLE: ReadonlySet<string> = new Set(["range", "watermark", "resume", "now", "onCommitted"]);

/** @throws PipelineError for a name that the context has already, or a value that is no side input. */
export function checkSideInputs(transform: string, sideInputs: SideInputs, isSplittable: boolean): void {
  for (const [name, sideInput] of Object.entries(sideInputs)) {
    if (TAKEN.has(name) || (isSplittable && TAKEN_BY_SPLITTABLE.has(name)))
      throw new PipelineError("bad_side_input", `side input "${name}" of transform "${transform}" would hide the context's own; rename it`);
    if (typeof sideInput !== "object" || sideInput === null || !("pcollection" in sideInput))
      throw new PipelineError(
        "bad_side_input",
        `side input "${name}" of transform "${transform}" is none: wrap its PCollection with asMap(), asList() or their like`,
      );
    const { windowFn } = sideInput.pcollection.windowing;
    if (windowFn instanceof SlidingWindows && windowFn.periodMs > windowFn.sizeMs)
      throw new PipelineError(
        "bad_side_input",
        `side input "${name}" of transform "${transform}" is in windows with gaps between them, where an element would see none; ` +
          `window it otherwise before`,
      );
    if (windowFn.merging)
      throw new PipelineError(
        "bad_side_input",
        `side input "${name}" of transform "${transform}" is in sessions, and which of them an element should see is not defined; ` +
          `window it otherwise before`,
      );
  }
}
