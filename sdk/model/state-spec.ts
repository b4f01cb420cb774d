// What a stateful ParDo declares, in the form that translation and harness read; authors make these with the functions of sdk/state.
import type { Coder } from "../../portability/coders/index.js";
import type { KeyedState, TimerCells } from "../../portability/stage-host/index.js";
import type { Timestamp, Window } from "../../portability/values/index.js";

/** The call of user code that is under way: what it may do with state and timers depends on it. */
export interface CurrentCall {
  /** Of the element or, in a timer's callback, of what it puts out. */
  readonly timestamp: Timestamp;
  readonly window: Window;
  /** @throws Error when no call is under way: then it would be anybody's state. */
  check(): void;
}

/** Kinds of state, by their messages in Beam's `StateSpec`. */
export type StateKind = "value" | "bag" | "combining" | "map" | "multimap" | "set" | "ordered-list";

/**
 * A declared cell of state, per key and window.
 *
 * @typeParam Handle what functions read and write it with
 */
export interface StateSpec<Handle> {
  readonly kind: StateKind;
  /** Of the elements, the accumulator, or the map keys and values. */
  readonly coders: readonly Coder<unknown>[];
  /** @internal */
  open(state: KeyedState, id: string): Handle;
}

/** The declared state of a ParDo, by name. */
export type StateSpecs = Readonly<Record<string, StateSpec<unknown>>>;
/** What functions receive for declared state. */
export type StateHandles<S extends StateSpecs> = { readonly [Name in keyof S]: S[Name] extends StateSpec<infer Handle> ? Handle : never };

/**
 * A declared timer, or a family of timers, per key and window.
 *
 * @typeParam Handle what functions set it with
 */
export interface TimerSpec<Handle> {
  readonly domain: "event" | "processing";
  /** @internal */
  open(cells: TimerCells, expiryOf: (window: Window) => Timestamp, call: CurrentCall): Handle;
}

/** The declared timers of a ParDo, by name. */
export type TimerSpecs = Readonly<Record<string, TimerSpec<unknown>>>;
/** What functions receive for declared timers. */
export type TimerHandles<T extends TimerSpecs> = { readonly [Name in keyof T]: T[Name] extends TimerSpec<infer Handle> ? Handle : never };

/** A timer that fires. */
export interface FiringTimer<K> {
  readonly key: K;
  /** What tells it from others of its family; empty for a single timer. */
  readonly tag: string;
  /** The instant that it was set for: event time or processing time. */
  readonly fireAt: Timestamp;
}
