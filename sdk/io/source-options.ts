import type { SourceSpec } from "../model/source.js";

/** What a source of elements from outside leaves to its author. */
export interface StreamOptions<T> extends Pick<SourceSpec<T>, "watermark" | "idleAfterMs" | "maxElements" | "maxReadMs"> {
  readonly name?: string;
  /** Bytes that may wait until the pipeline takes them; default 8 MiB. */
  readonly queueBytes?: number;
}

export const DEFAULT_QUEUE_BYTES = 8 << 20;
export const DEFAULT_LINE_BYTES = 1 << 20;

/** @throws RangeError naming the first of these options that is not a whole number above 0 */
export function checkWhole(options: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(options))
    if (!(Number.isSafeInteger(value) && value > 0)) throw new RangeError(`${name} must be a whole number above 0, not ${value}`);
}
