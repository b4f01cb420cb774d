import { bytesCoder } from "../../portability/coders/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { Pipeline } from "../model/pipeline.js";
import type { PTransform } from "../model/ptransform.js";
import { GLOBAL_WINDOWING } from "../model/windowing.js";

/**
 * One empty byte string at the minimum timestamp: what every source starts from (`beam:transform:impulse:v1`).
 *
 * @example
 * ```ts
 * p.apply(impulse()).apply(flatMap(() => [1, 2, 3]));
 * ```
 */
export function impulse(name?: string): PTransform<Pipeline, PCollection<Uint8Array>> {
  return {
    name,
    defaultName: "impulse",
    expand(p) {
      p.graph.setPrimitive({ kind: "impulse" });
      return p.graph.output<Uint8Array>(bytesCoder, GLOBAL_WINDOWING);
    },
  };
}
