// The work of a splittable transform that one bundle does not finish, which its runner keeps (stage-host, H13 – H17).
import type { ElementMeta, Timestamp } from "../values/index.js";

/** The rest of an element's restriction, to be gone on with in a later bundle. */
export interface Residual {
  /** In the form in which the stage is given its elements: element, restriction and size. */
  readonly value: unknown;
  readonly meta: ElementMeta;
  /** Milliseconds of processing time, from the end of the bundle on, before which there is nothing to do. */
  readonly delayMs: number;
  /** What is put out of it later is not earlier: the output watermark waits here. */
  readonly watermark: Timestamp;
  /** Whether it has been truncated (H17). */
  readonly isTruncated: boolean;
}

/** Whether a restriction is to be truncated before it is processed, or has been. */
export type Truncation = "none" | "due" | "done";

/** How much of a restriction is done and how much is left, in a unit of its own. */
export interface Progress {
  readonly done: number;
  /** Infinity where nobody knows the end. */
  readonly left: number;
}

/** What the runner has for the splittable transform that a stage begins with. */
export interface RestrictionContext {
  /** Processing time, in milliseconds. */
  now(): number;
  /** Told of each position that is claimed; true if the bundle should end: what is left of the restriction is split off (H14). */
  shouldCheckpoint(): boolean;
  /**
   * Asked behind a claim that {@link shouldCheckpoint} is about to be told of; true if others have nothing to do: half of what is left is to be split off
   * for them, if that can be (H15).
   */
  shouldShare(): boolean;
  /** Takes what a bundle leaves undone (H13). */
  residual(residual: Residual): void;
  /** Of an element that is being delivered (H17). */
  truncation(value: unknown): Truncation;
}
