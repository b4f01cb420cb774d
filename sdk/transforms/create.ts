import type { Coder } from "../../portability/coders/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { Pipeline } from "../model/pipeline.js";
import type { PTransform } from "../model/ptransform.js";
import { anyValue } from "./element-coder.js";
import { impulse } from "./impulse.js";
import { elementwise } from "./par-do.js";

/**
 * The given elements, in the global window at the minimum timestamp.
 *
 * @example `p.apply(create([1, 2, 3]))`
 */
export function create<T>(elements: Iterable<T>, coder?: Coder<T>): PTransform<Pipeline, PCollection<T>>;
export function create<T>(name: string, elements: Iterable<T>, coder?: Coder<T>): PTransform<Pipeline, PCollection<T>>;
export function create<T>(...args: [string, Iterable<T>, Coder<T>?] | [Iterable<T>, Coder<T>?]): PTransform<Pipeline, PCollection<T>> {
  const [name, elements, coder] =
    typeof args[0] === "string" && args.length > 1 && isIterable(args[1])
      ? [args[0], args[1] as Iterable<T>, args[2]]
      : [undefined, args[0] as Iterable<T>, args[1] as Coder<T> | undefined];
  const elementCoder = coder as Coder<unknown> | undefined;
  return {
    name,
    defaultName: "create",
    expand: (p) =>
      p
        .apply(impulse())
        .apply(
          elementwise<Uint8Array, T>(
            "elements",
            "elements",
            { kind: "flat-map", fn: () => elements, concurrency: 1 },
            () => elementCoder ?? anyValue,
          ),
        ),
  };
}

function isIterable(value: unknown): boolean {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}
