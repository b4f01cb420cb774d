import type { Timestamp, Window } from "../values/index.js";

/** Assigns windows to timestamps. Equal timestamps always get equal windows. */
export interface WindowFn {
  /** Beam's URN of the window function. */
  readonly urn: string;
  /** Whether windows of one key may merge (sessions). */
  readonly merging: boolean;
  /** Windows of an element with this timestamp; at least one. The array may be shared: do not change it. */
  assign(timestamp: Timestamp): readonly Window[];
}
