import { ByteReader, ByteWriter, type Coder } from "../../portability/coders/index.js";
import type { CombineFn } from "../model/combine-fn.js";
import type { StateSpec } from "../model/state-spec.js";
import { anyValue } from "../transforms/element-coder.js";

/** State of what is combined from inputs. */
export interface CombiningState<In, Out> {
  add(input: In): void;
  /** What the inputs so far come to; that of no input, if there was none. */
  read(): Out;
  clear(): void;
}

/**
 * State that combines what is added to it, so that it stays as small as an accumulator (Beam's CombiningState).
 *
 * @example
 * ```ts
 * sales.apply(statefulParDo({
 *   state: { total: combining(sumFn) },
 *   process({ key, value }, { state, emit }) {
 *     state.total.add(value);
 *     if (state.total.read() > 1000) emit(key);
 *   },
 * }));
 * ```
 */
export function combining<In, Acc, Out>(combineFn: CombineFn<In, Acc, Out>): StateSpec<CombiningState<In, Out>> {
  const coder = (combineFn.accumulatorCoder ?? anyValue) as Coder<unknown>;
  return {
    kind: "combining",
    coders: [coder],
    open(state, id) {
      const cell = state.value(id);
      return {
        add(input) {
          let accumulator = cell.read() as Acc | undefined;
          if (accumulator === undefined) accumulator = combineFn.createAccumulator();
          // The function may change it in place, which could not be taken back.
          else if (typeof accumulator === "object" && !cell.isFresh) accumulator = copied(coder, accumulator);
          cell.write(combineFn.addInput(accumulator, input));
        },
        read() {
          return combineFn.extractOutput((cell.read() as Acc | undefined) ?? combineFn.createAccumulator());
        },
        clear() {
          cell.clear();
        },
      };
    },
  };
}

function copied<T>(coder: Coder<unknown>, original: T): T {
  const writer = new ByteWriter();
  coder.encode(original, writer, false);
  return coder.decode(new ByteReader(writer.toBytes()), false) as T;
}
