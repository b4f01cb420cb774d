import { randomBytes } from "node:crypto";
import { kvCoder, utf8Coder, varintCoder, type Coder } from "../../../portability/coders/index.js";
import { kv, type KV } from "../../../portability/values/index.js";
import type { PCollection } from "../../model/pcollection.js";
import { composite, type PTransform } from "../../model/ptransform.js";
import { value } from "../../state/index.js";
import { output, parDo } from "../../transforms/par-do.js";
import { global, windowInto } from "../../transforms/window-into.js";

/** State of a shard: what its numbers are counted in, so that they are never used twice. */
export const numbering = { series: value(utf8Coder), next: value(varintCoder) };

/** A name that no other series of numbers has, in whatever run: it is in state, and lives and dies with that. */
export const newSeries = (): string => randomBytes(9).toString("base64url");

/** Elements by the number of a shard, in turn, in the global window. */
export function byShard<T>(shards: number): PTransform<PCollection<T>, PCollection<KV<number, T>>> {
  return composite("by shard", (input: PCollection<T>) =>
    input.apply(windowInto("all", global())).apply(
      parDo("key", {
        outputs: output<KV<number, T>>(kvCoder(varintCoder, input.coder as Coder<T>)),
        setup: () => ({ last: 0 }),
        process(element: T, { local, emit }) {
          local.last = (local.last + 1) % shards;
          emit(kv(local.last, element));
        },
      }),
    ),
  );
}

/** @throws RangeError unless it is a whole number from 1 to `most` */
export function checkCount(name: string, count: number, most: number): void {
  if (!(Number.isSafeInteger(count) && count >= 1 && count <= most))
    throw new RangeError(`${name} must be a whole number from 1 to ${most}, not ${count}`);
}
