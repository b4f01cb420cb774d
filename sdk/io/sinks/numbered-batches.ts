import { iterableCoder, kvCoder, utf8Coder, varintCoder, type Coder } from "../../../portability/coders/index.js";
import { kv, type KV } from "../../../portability/values/index.js";
import type { PCollection } from "../../model/pcollection.js";
import { composite, type PTransform } from "../../model/ptransform.js";
import { bag, processingTimer } from "../../state/index.js";
import { output } from "../../transforms/par-do.js";
import { statefulParDo } from "../../transforms/stateful-par-do.js";
import { byShard, newSeries, numbering } from "./shards.js";

/** A batch in its series: `key` is its number, from 0, one after the other. */
export type NumberedBatch<T> = KV<string, KV<number, Iterable<T>>>;

export interface BatchOptions {
  readonly shards: number;
  /** Most elements of a batch. */
  readonly batchElements: number;
  /** How long an element waits for others, in milliseconds of processing time. */
  readonly maxBufferingMs: number;
}

/**
 * Elements in batches, by shard. What waits and how far batches are numbered is in state: a batch with its number is either known to a checkpoint, or
 * was never there for a run that goes on from it.
 */
export function numberedBatches<T>({
  shards,
  batchElements,
  maxBufferingMs,
}: BatchOptions): PTransform<PCollection<T>, PCollection<KV<number, NumberedBatch<T>>>> {
  return composite("batches", (input: PCollection<T>) => {
    const coder = input.coder as Coder<T>;
    const batchCoder = kvCoder(varintCoder, kvCoder(utf8Coder, kvCoder(varintCoder, iterableCoder(coder))));
    return input.apply(byShard(shards)).apply(
      statefulParDo("number", {
        state: { ...numbering, waiting: bag(coder) },
        timers: { enough: processingTimer() },
        outputs: output<KV<number, NumberedBatch<T>>>(batchCoder),
        process({ key: shard, value: element }: KV<number, T>, { state, timers, emit }) {
          state.waiting.add(element);
          const waiting = state.waiting.read();
          if (waiting.length < batchElements) {
            if (waiting.length === 1) timers.enough.after(maxBufferingMs);
            return;
          }
          timers.enough.clear();
          emit(kv(shard, next(state)));
        },
        onTimer: { enough: ({ key: shard }, { state, emit }) => emit(kv(shard, next(state))) },
      }),
    );
  });
}

interface Waiting<T> {
  readonly series: { read(): string | undefined; write(series: string): void };
  readonly next: { read(): number | undefined; write(next: number): void };
  readonly waiting: { read(): readonly T[]; clear(): void };
}

function next<T>({ series, next: number, waiting }: Waiting<T>): NumberedBatch<T> {
  let name = series.read();
  if (name === undefined) series.write((name = newSeries()));
  const sequence = number.read() ?? 0;
  number.write(sequence + 1);
  const elements = [...waiting.read()];
  waiting.clear();
  return kv(name, kv(sequence, elements));
}
