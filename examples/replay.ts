// Not an example by itself: plays a file of JSON lines as if they came in now, one after the other, so that other examples have a
// stream without a server. It is what a source of one's own looks like.
import { readFile } from "node:fs/promises";
import { eventTime, unboundedSource, type PCollection, type Pipeline, type PTransform } from "beamstorm";

export interface ReplayOptions<T> {
  /** Event time of an element, in milliseconds. The watermark is the greatest so far: whatever is earlier, is late. */
  readonly timestampOf: (element: T) => number;
  /** Milliseconds between two lines. */
  readonly everyMs?: number;
  /** The name of the transform, where there are several. */
  readonly name?: string;
}

export function replay<T>(
  file: string,
  { timestampOf, everyMs = 5, name = "replay" }: ReplayOptions<T>,
): PTransform<Pipeline, PCollection<T>> {
  return unboundedSource<T>({
    name,
    ends: true,
    watermark: eventTime(timestampOf),
    async open({ now }) {
      const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
      let next = 0;
      return {
        read(emit) {
          emit(JSON.parse(lines[next++]) as T);
          // To wait ends the bundle, so that the watermark has followed before the next line comes.
          return next < lines.length ? now() + everyMs : "end";
        },
      };
    },
  });
}
