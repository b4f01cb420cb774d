// Sinks with transactions: a batch and its id are written in one, and an id that is there already is not written again.
//
// - X1. A batch has one id, and an id one batch, in all runs that go on from each other: batches are numbered in state, and committed only when a
//   published checkpoint holds them (requiresStableInput).
// - X2. The batches of a series come to one task, by ascending numbers, without gaps; after a failure some of them may come again. So a sink
//   needs to know the last number of each series, and no others.
// - X3. Who has been replaced by a later run may still be at work on a batch: the sink's transactions decide which of the two commits it.
// - X4. A series is forgotten when a published checkpoint holds that its shard has come to its end: then nothing of it can come again.
import { utf8Coder, type Coder } from "../../../portability/coders/index.js";
import { PermanentError } from "../../../portability/stage-host/index.js";
import { kv, type KV } from "../../../portability/values/index.js";
import type { PCollection } from "../../model/pcollection.js";
import type { PTransform } from "../../model/ptransform.js";
import { output, parDo } from "../../transforms/par-do.js";
import { statefulParDo } from "../../transforms/stateful-par-do.js";
import { withCoder } from "../../transforms/with-coder.js";
import { numberedBatches, type NumberedBatch } from "./numbered-batches.js";
import { checkCount, numbering } from "./shards.js";

/** What tells a batch from all others, of this job and of any other one. */
export interface BatchId {
  /** The write that it is of, for people. */
  readonly write: string;
  /** Unique in the world; its batches are committed in their order (X2). */
  readonly series: string;
  /** From 0, one after the other. */
  readonly sequence: number;
}

/** Elements that are written in one transaction. */
export interface TransactionalBatch<T> {
  readonly id: BatchId;
  readonly elements: readonly T[];
}

/** A connection to a store with transactions, in one task. Its methods are called one at a time. */
export interface TransactionalSink<T> {
  /**
   * Writes the elements and, in the same transaction, that the series has come to this number; does nothing if it had come to it before. What it throws makes it
   * be called again with the same batch, on a sink that was opened anew.
   */
  commit(batch: TransactionalBatch<T>): Promise<void>;
  /** Nothing of these series will come again, since their input has ended: nobody needs to know any more how far they had come. */
  forget?(series: readonly string[]): Promise<void>;
  /** Lets go of the connection. */
  close?(): void | Promise<void>;
}

/** What {@link transactionalWrite} takes. */
export interface TransactionalWriteOptions<T> {
  /** Default "transactionalWrite". */
  readonly name?: string;
  /** Opens a sink in each task; what it throws is tried again like any failure of user code. */
  readonly open: () => TransactionalSink<T> | Promise<TransactionalSink<T>>;
  /** Into how many shares elements are dealt out, which are written side by side; default 4. */
  readonly shards?: number;
  /** Most elements of a transaction; default 500. */
  readonly batchElements?: number;
  /** How long an element waits for others of its transaction, in milliseconds; default 1000. Then it waits for a checkpoint, where there are any. */
  readonly maxBufferingMs?: number;
  /** Default: that of the input. */
  readonly coder?: Coder<T>;
}

/** A batch that was committed. */
export interface CommittedBatch {
  readonly id: BatchId;
  /** How many elements it had. */
  readonly elements: number;
}

/**
 * Writes each element exactly once to a store with transactions, whatever happens to the run: with checkpoints that is killed and gone on with, or loses workers.
 * Without checkpoints a run that fails has written what it had written. Windows do not matter. The output tells what was committed.
 *
 * @throws RangeError when an option is out of its range
 * @example
 * ```ts
 * const table: string[] = [];
 * const done = new Map<string, number>();
 * const sink: TransactionalSink<string> = {
 *   async commit({ id: { series, sequence }, elements }) {
 *     if (sequence <= (done.get(series) ?? -1)) return;
 *     table.push(...elements); // and, in a store, in one transaction with
 *     done.set(series, sequence);
 *   },
 * };
 * lines.apply(transactionalWrite({ open: () => sink }));
 * ```
 */
export function transactionalWrite<T>(options: TransactionalWriteOptions<T>): PTransform<PCollection<T>, PCollection<CommittedBatch>> {
  const { name, open, shards = 4, batchElements = 500, maxBufferingMs = 1000, coder } = options;
  checkCount("shards", shards, 10_000);
  checkCount("batchElements", batchElements, 1_000_000);
  if (!(maxBufferingMs >= 0 && maxBufferingMs < Infinity)) throw new RangeError(`maxBufferingMs must be 0 or more, not ${maxBufferingMs}`);
  return {
    name,
    defaultName: "transactionalWrite",
    expand(input) {
      const write = input.graph.currentName;
      const elements = coder === undefined ? input : input.apply(withCoder(coder));
      const { committed, over } = elements.apply(numberedBatches({ shards, batchElements, maxBufferingMs })).apply(
        statefulParDo("commit", {
          requiresStableInput: true, // X1
          state: numbering,
          outputs: { committed: output<CommittedBatch>(), over: output<string>(utf8Coder) },
          setup: async () => ({ sink: await open() }),
          async process({ value: { key: series, value: batch } }: KV<number, NumberedBatch<T>>, { state, local, emit }) {
            const id = { write, series, sequence: batch.key };
            checkNext(id, kv(state.series.read() ?? series, state.next.read() ?? 0));
            const all = [...batch.value];
            await local.sink.commit({ id, elements: all });
            state.series.write(series);
            state.next.write(batch.key + 1);
            emit.committed({ id, elements: all.length });
          },
          onWindowExpiration(_, { state, emit }) {
            const series = state.series.read();
            if (series !== undefined) emit.over(series);
          },
          teardown: ({ local }) => local.sink.close?.(),
        }),
      );
      over.apply(forgetting(open));
      return committed;
    },
  };
}

/** X4 */
function forgetting<T>(open: TransactionalWriteOptions<T>["open"]): PTransform<PCollection<string>, PCollection<string>> {
  return parDo("forget", {
    requiresStableInput: true,
    outputs: output<string>(utf8Coder),
    async process(series: string) {
      const sink = await open();
      try {
        await sink.forget?.([series]);
      } finally {
        await sink.close?.();
      }
    },
  });
}

/** X2: never by accident, since a sink would take what comes too late for something that it has. */
function checkNext({ write, series, sequence }: BatchId, expected: KV<string, number>): void {
  if (series === expected.key && sequence === expected.value) return;
  throw new PermanentError(
    `batches of "${write}" are out of order: ${sequence} of ${series} came where ${expected.value} of ${expected.key} was to come`,
  );
}
