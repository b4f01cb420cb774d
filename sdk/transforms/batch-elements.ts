import type { Window } from "../../portability/values/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { output, parDo } from "./par-do.js";

interface Batch<T> {
  readonly window: Window;
  elements: T[];
}

/** Most windows with an unfinished batch; beyond, all of them are sent. */
const OPEN_WINDOWS = 100;

/**
 * Elements in arrays of up to `maxSize`, for work that is cheaper in bulk. A batch holds elements of one window and one bundle, so
 * smaller batches occur; each has the timestamp of its window's end.
 *
 * @throws RangeError unless `maxSize` is a whole number above 0
 * @example
 * ```ts
 * orders.apply(batchElements(500)).apply(map(async (batch) => database.insert(batch)));
 * ```
 */
export function batchElements<T>(maxSize: number, name?: string): PTransform<PCollection<T>, PCollection<T[]>> {
  if (!(Number.isSafeInteger(maxSize) && maxSize > 0)) throw new RangeError(`maxSize must be a whole number above 0, not ${maxSize}`);
  return {
    name,
    defaultName: "batchElements",
    expand: (input) =>
      input.apply(
        parDo("batch", {
          outputs: output<T[]>(),
          setup: () => new Map<string, Batch<T>>(),
          process(element: T, { window, local: batches, emit }) {
            const key = window.toString();
            let batch = batches.get(key);
            if (batch === undefined) {
              if (batches.size === OPEN_WINDOWS) sendAll(batches, emit);
              batches.set(key, (batch = { window, elements: [] }));
            }
            if (batch.elements.push(element) < maxSize) return;
            batches.delete(key);
            send(batch, emit);
          },
          finishBundle: ({ local: batches, emit }) => sendAll(batches, emit),
        }),
      ),
  };
}

type Send<T> = (elements: T[], at: { readonly timestamp: number; readonly window: Window }) => void;

function send<T>({ window, elements }: Batch<T>, emit: Send<T>): void {
  emit(elements, { timestamp: window.maxTimestamp, window });
}

function sendAll<T>(batches: Map<string, Batch<T>>, emit: Send<T>): void {
  for (const batch of batches.values()) send(batch, emit);
  batches.clear();
}
