import { kvCoder, utf8Coder, type Coder } from "../../../portability/coders/index.js";
import { kv, type KV } from "../../../portability/values/index.js";
import type { PCollection } from "../../model/pcollection.js";
import type { PTransform } from "../../model/ptransform.js";
import { output, parDo } from "../../transforms/par-do.js";
import { statefulParDo } from "../../transforms/stateful-par-do.js";
import { byShard, checkCount, newSeries, numbering } from "./shards.js";

/** What {@link withIdempotencyKeys} takes. */
export interface IdempotencyKeysOptions {
  readonly name?: string;
  /** Into how many shares elements are dealt out, whose keys are counted side by side; default 16. */
  readonly shards?: number;
}

/**
 * Gives each element a key of its own, which is the same whenever the element is processed again, after a failure or by a run that goes on from a
 * checkpoint, and which no other element has, of whatever job: for services that do nothing when they are asked twice under one key. The key is a text
 * without spaces of at most 40 characters. With checkpoints an element waits until one holds it. The output is in the global window.
 *
 * @throws RangeError when `shards` is out of its range
 * @example
 * ```ts
 * orders.apply(withIdempotencyKeys()).apply(
 *   map(async ({ key, value }) => console.log("POST /payments", { "Idempotency-Key": key }, value)),
 * );
 * ```
 */
export function withIdempotencyKeys<T>({ name, shards = 16 }: IdempotencyKeysOptions = {}): PTransform<
  PCollection<T>,
  PCollection<KV<string, T>>
> {
  checkCount("shards", shards, 10_000);
  return {
    name,
    defaultName: "withIdempotencyKeys",
    expand(input) {
      const outputs = output<KV<string, T>>(kvCoder(utf8Coder, input.coder as Coder<T>));
      return input
        .apply(byShard(shards))
        .apply(
          statefulParDo("count", {
            state: numbering,
            outputs,
            process({ value: element }: KV<number, T>, { state, emit }) {
              let series = state.series.read();
              if (series === undefined) state.series.write((series = newSeries()));
              const n = state.next.read() ?? 0;
              state.next.write(n + 1);
              emit(kv(`${series}-${n}`, element));
            },
          }),
        )
        .apply(parDo("keep", { requiresStableInput: true, outputs, process: (keyed: KV<string, T>, { emit }) => emit(keyed) }));
    },
  };
}
