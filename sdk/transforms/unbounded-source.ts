import type { Coder } from "../../portability/coders/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { Pipeline } from "../model/pipeline.js";
import type { PTransform } from "../model/ptransform.js";
import type { SourceSpec, UntypedSource } from "../model/source.js";
import { GLOBAL_WINDOWING } from "../model/windowing.js";
import { anyValue } from "./element-coder.js";

/** What {@link unboundedSource} takes. */
export interface UnboundedSourceOptions<T> extends SourceSpec<T> {
  readonly name?: string;
  /** Default: any plain JavaScript value. */
  readonly coder?: Coder<T>;
}

/**
 * Elements of a source that never ends, or at some time: whatever a {@link Reader} has, in the global window.
 *
 * @throws RangeError when an option is out of its range; (at run time) UserCodeError when the source cannot be opened or read
 * @example
 * ```ts
 * const rolls = unboundedSource<number>({
 *   name: "dice",
 *   maxElements: 3,
 *   open: ({ now }) => ({
 *     read(emit) {
 *       emit(1 + Math.floor(Math.random() * 6));
 *       return now() + 10;
 *     },
 *   }),
 * });
 * p.apply(rolls).apply(map((eyes) => console.log(eyes)));
 * ```
 */
export function unboundedSource<T>(options: UnboundedSourceOptions<T>): PTransform<Pipeline, PCollection<T>> {
  const source = checked(options) as UntypedSource;
  const coder = (options.coder as Coder<unknown> | undefined) ?? anyValue;
  return {
    name: options.name,
    defaultName: "unboundedSource",
    expand(p) {
      p.graph.setPrimitive({ kind: "read", source });
      return p.graph.output<T>(coder, GLOBAL_WINDOWING, "out", source.ends);
    },
  };
}

function checked<T>(options: UnboundedSourceOptions<T>): Omit<Required<SourceSpec<T>>, "watermark"> & Pick<SourceSpec<T>, "watermark"> {
  const { open, parallelism = 1, watermark, idleAfterMs = Infinity, maxElements = Infinity, maxReadMs = Infinity } = options;
  if (!(Number.isSafeInteger(parallelism) && parallelism >= 1))
    throw new RangeError(`parallelism must be a whole number of at least 1, not ${parallelism}`);
  for (const [name, value] of Object.entries({ idleAfterMs, maxElements, maxReadMs }))
    if (!(value > 0)) throw new RangeError(`${name} must be above 0, not ${value}`);
  const ends = options.ends === true || maxElements < Infinity || maxReadMs < Infinity;
  return { open, parallelism, watermark, idleAfterMs, ends, maxElements, maxReadMs };
}
