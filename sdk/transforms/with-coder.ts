import type { Coder } from "../../portability/coders/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { elementwise } from "./par-do.js";

/**
 * The same elements, encoded by the given coder where they leave a process or become keys.
 *
 * @example `cards.apply(withCoder(kvCoder(utf8Coder, varintCoder)))`
 */
export function withCoder<T>(coder: Coder<T>): PTransform<PCollection<T>, PCollection<T>> {
  return elementwise(undefined, "withCoder", { kind: "map", fn: (value: T) => value, concurrency: 1 }, () => coder as Coder<unknown>);
}
