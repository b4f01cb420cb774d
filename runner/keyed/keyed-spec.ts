import type { KeySpace } from "../store/index.js";

/** One declared cell. */
export type CellSpec =
  | { readonly kind: "value" | "bag" | "ordered-list"; readonly id: string }
  | { readonly kind: "multimap"; readonly id: string; readonly mapKeys: KeySpace };

/** One declared timer family. */
export interface FamilySpec {
  readonly id: string;
  /** `sorting`: not the author's, but of elements that wait for their time. */
  readonly domain: "event" | "processing" | "sorting";
}

/** The family of the timers that tell when an element that waits for its time has its turn. The id is none that an author could give. */
export const SORTING: FamilySpec = { id: "\u0000", domain: "sorting" };

/** What a stateful transform has declared, free of protos. */
export interface KeyedSpec {
  readonly keys: KeySpace;
  readonly cells: readonly CellSpec[];
  readonly families: readonly FamilySpec[];
  /** The family that fires once for each key and window when the window expires; undefined if the transform is not called then. */
  readonly expirationFamily: string | undefined;
  /** How long after its end a window is kept, in milliseconds of event time. */
  readonly allowedLatenessMs: number;
  /** Whether the elements of a key and window are wanted by ascending timestamp. */
  readonly isTimeSorted?: boolean;
  /** By how much time is behind the watermark for that, in milliseconds: so late may elements be; default 0. */
  readonly lagMs?: number;
}
