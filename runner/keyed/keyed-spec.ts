import type { KeySpace } from "../store/index.js";

/** One declared cell. */
export type CellSpec =
  | { readonly kind: "value" | "bag" | "ordered-list"; readonly id: string }
  | { readonly kind: "multimap"; readonly id: string; readonly mapKeys: KeySpace };

/** One declared timer family. */
export interface FamilySpec {
  readonly id: string;
  readonly domain: "event" | "processing";
}

/** What a stateful transform has declared, free of protos. */
export interface KeyedSpec {
  readonly keys: KeySpace;
  readonly cells: readonly CellSpec[];
  readonly families: readonly FamilySpec[];
  /** The family that fires once for each key and window when the window expires; undefined if the transform is not called then. */
  readonly expirationFamily: string | undefined;
  /** How long after its end a window is kept, in milliseconds of event time. */
  readonly allowedLatenessMs: number;
}
