import type { ElementMeta, PaneInfo, Timestamp, Window } from "../../portability/values/index.js";

/** What a function may ask about the element it is called with. */
export interface ElementContext {
  readonly timestamp: Timestamp;
  readonly window: Window;
  readonly pane: PaneInfo;
}

/** What an author's function may give back where results are optional or many. */
export type ManyOutputs<O> = void | undefined | null | Iterable<O> | AsyncIterable<O>;

/** How `async` calls of one function overlap. */
export interface AsyncOptions {
  /** Most calls under way at a time in one task; further elements wait. Default 16. */
  readonly concurrency?: number;
}

/** The functions of one ParDo, in the form that the harness executes. */
export type DoFn =
  | { readonly kind: "map"; readonly fn: (value: never, context: ElementContext) => unknown; readonly concurrency: number }
  | { readonly kind: "filter"; readonly fn: (value: never, context: ElementContext) => unknown; readonly concurrency: number }
  | { readonly kind: "flat-map"; readonly fn: (value: never, context: ElementContext) => unknown; readonly concurrency: number }
  | { readonly kind: "timestamp"; readonly fn: (value: never) => Timestamp | Promise<Timestamp>; readonly concurrency: number }
  | { readonly kind: "par-do"; readonly spec: UntypedParDo; readonly tags: readonly string[]; readonly concurrency: number };

/** An author's ParDo object once its types have been checked. */
export interface UntypedParDo {
  setup?(): unknown;
  startBundle?(context: { local: unknown }): unknown;
  process(element: unknown, context: unknown): unknown;
  finishBundle?(context: unknown): unknown;
  teardown?(context: { local: unknown }): unknown;
}

/** Sends one element to an output, with the timestamp and windows of the input unless told otherwise. */
export type Emit<O> = (value: O, timestamp?: Timestamp) => void;

/** Sends an element from `finishBundle`, where there is no input to inherit from. */
export type EmitMeta = ElementMeta;
