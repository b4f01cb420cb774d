// Values of a key in batches (Beam's GroupIntoBatches).
//
// B1. Each value is in one batch of its key and window; values of a batch are in the order in which they came.
// B2. No batch is beyond `size` values, or beyond `bytes`, unless one value alone is.
// B3. What waits, waits behind a timer: of processing time where there is `maxBufferingMs`, and of event time at the end of the window, or, for
//     what comes later than that, when the window expires. Nothing is left behind, and a key that nothing waits for has no timer.
import {
  iterableCoder,
  kvCoder,
  shardedKeyCoder,
  varintCoder,
  ByteWriter,
  type Coder,
  type ShardedKey,
} from "../../portability/coders/index.js";
import { murmur3Bytes } from "../../portability/hash/murmur3.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import { COMPOSITE, GROUP_INTO_BATCHES_COMPONENT } from "../../portability/urns/index.js";
import { kv, type KV, type Timestamp } from "../../portability/values/index.js";
import type { Emit } from "../model/do-fn.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import type { StateHandles, TimerHandles } from "../model/state-spec.js";
import type { BatchLimits } from "../model/transform-node.js";
import { bag, eventTimer, processingTimer, value as single } from "../state/index.js";
import { keyedCoders } from "../transforms/keyed-coder.js";
import { elementwise, output } from "../transforms/par-do.js";
import { statefulParDo } from "../transforms/stateful-par-do.js";
import { checkWhole } from "./limits.js";

/** Options of {@link groupIntoBatches}: limits of a batch, of which the first that is reached closes it, and shards. */
export interface GroupIntoBatchesOptions {
  /** Most values in a batch. */
  readonly size?: number;
  /** Most bytes of a batch's values, as their coder encodes them; a larger value is a batch by itself. */
  readonly bytes?: number;
  /** Most milliseconds of processing time that a value waits for others; no limit by default. */
  readonly maxBufferingMs?: number;
  /**
   * Batches the values of each key in this many parts, which different tasks may have: for keys with so many values that one task could not keep
   * up. Which part a value belongs to depends on the value and its timestamp alone. Default 1.
   */
  readonly shards?: number;
}

/** Most parts of a key. */
const MAX_SHARDS = 65_536;

/**
 * The values of each key in batches, per window: a batch is complete when it has `size` values or `bytes` bytes, when its first value has waited for
 * `maxBufferingMs`, and at the end of its window (`beam:transform:group_into_batches:v1`). For work that is cheaper in bulk and whose batches must
 * not end with each bundle.
 *
 * A batch has the timestamp of the value that completes it, or, where it has waited long enough, of its first value, where the watermark waits, or
 * of its window's end.
 *
 * @throws PipelineError at construction without `size` and `bytes`, for a key coder that is not deterministic, and for windows that merge
 * @throws RangeError for a limit that is none
 * @example
 * ```ts
 * orders
 *   .apply(withKeys(({ country }) => country))
 *   .apply(groupIntoBatches({ size: 500, maxBufferingMs: seconds(1), shards: 4 }))
 *   .apply(map(async ({ value: batch }) => database.insert(batch)));
 * ```
 */
export function groupIntoBatches<K, V>(options: GroupIntoBatchesOptions): PTransform<PCollection<KV<K, V>>, PCollection<KV<K, V[]>>>;
export function groupIntoBatches<K, V>(
  name: string,
  options: GroupIntoBatchesOptions,
): PTransform<PCollection<KV<K, V>>, PCollection<KV<K, V[]>>>;
export function groupIntoBatches<K, V>(
  ...args: [string, GroupIntoBatchesOptions] | [GroupIntoBatchesOptions]
): PTransform<PCollection<KV<K, V>>, PCollection<KV<K, V[]>>> {
  const [name, { shards = 1, ...limits }] = args.length === 2 ? args : [undefined, args[0]];
  checkLimits(limits);
  checkWhole("shards", shards, 1);
  if (shards > MAX_SHARDS) throw new RangeError(`shards must be at most ${MAX_SHARDS}, not ${shards}`);
  if (shards === 1) return batches(name, "groupIntoBatches", limits);
  return {
    name,
    defaultName: "groupIntoBatches",
    expand: (input) => input.apply(shardedBatches<K, V>(shards, limits)).apply(withoutShards()),
  };
}

function checkLimits({ size, bytes, maxBufferingMs }: BatchLimits): void {
  if (size === undefined && bytes === undefined)
    throw new PipelineError(
      "no_batch_limit",
      "groupIntoBatches() needs a limit by which a batch is complete: give it size, bytes, or both",
    );
  if (size !== undefined) checkWhole("size", size, 1);
  if (bytes !== undefined) checkWhole("bytes", bytes, 1);
  if (maxBufferingMs !== undefined) checkWhole("maxBufferingMs", maxBufferingMs, 1);
}

const STATE = { batch: bag<unknown>(), count: single(varintCoder), bytes: single(varintCoder), isOver: single(varintCoder) };
const TIMERS = { patience: processingTimer(), end: eventTimer() };

/** What the functions below need of a call for a key and window. */
interface Call {
  readonly state: StateHandles<typeof STATE>;
  readonly timers: TimerHandles<typeof TIMERS>;
  readonly emit: Emit<KV<unknown, unknown[]>>;
}

function batches<K, V>(
  name: string | undefined,
  defaultName: string,
  limits: BatchLimits,
): PTransform<PCollection<KV<K, V>>, PCollection<KV<K, V[]>>> {
  return {
    name,
    defaultName,
    expand(input) {
      input.graph.setKnown({ urn: GROUP_INTO_BATCHES_COMPONENT.GROUP_INTO_BATCHES, batches: limits });
      const { keyCoder, valueCoder } = keyedCoders(input);
      const { size = Infinity, bytes = Infinity, maxBufferingMs } = limits;
      const { allowedLatenessMs } = input.windowing;
      const sizeOf = bytes === Infinity ? () => 0 : encodedSize(valueCoder);

      /** B3 */
      const waitForMore = ({ state, timers }: Call): void => {
        if (maxBufferingMs !== undefined) timers.patience.after(maxBufferingMs);
        if (state.isOver.read() === undefined) timers.end.setToEndOfWindow();
        else timers.end.setToExpiry();
      };

      return input.apply(
        statefulParDo("batch", {
          state: { ...STATE, batch: bag(valueCoder) },
          timers: TIMERS,
          outputs: output<KV<K, V[]>>(kvCoder(keyCoder, iterableCoder(valueCoder)) as unknown as Coder<KV<K, V[]>>),
          process({ key, value }: KV<K, V>, context) {
            const call = context as Call;
            const { state } = call;
            const added = sizeOf(value);
            let count = state.count.read() ?? 0;
            let total = state.bytes.read() ?? 0;
            if (count > 0 && total + added > bytes) {
              complete(key, call);
              count = total = 0;
            }
            state.batch.add(value);
            count++;
            total += added;
            if (count >= size || total >= bytes) return complete(key, call);
            state.count.write(count);
            if (bytes !== Infinity) state.bytes.write(total);
            if (count === 1) waitForMore(call);
          },
          onTimer: {
            patience: ({ key }, context) => complete(key, context as Call),
            end({ key }, context) {
              complete(key, context as Call);
              if (allowedLatenessMs > 0) context.state.isOver.write(1);
            },
          },
        }),
      );
    },
  };
}

/** Emits what a key has waiting, if there is anything. */
function complete(key: unknown, { state, timers, emit }: Call): void {
  const values = [...state.batch.read()];
  state.batch.clear();
  state.count.clear();
  state.bytes.clear();
  timers.patience.clear();
  timers.end.clear();
  if (values.length > 0) emit(kv(key, values));
}

function encodedSize(coder: Coder<unknown>): (value: unknown) => number {
  const writer = new ByteWriter();
  return (value) => {
    writer.reset();
    coder.encode(value, writer, false);
    return writer.length;
  };
}

/** `beam:transform:group_into_batches_with_sharded_key:v1`: the same, with the part in the keys. */
function shardedBatches<K, V>(shards: number, limits: BatchLimits): PTransform<PCollection<KV<K, V>>, PCollection<KV<ShardedKey<K>, V[]>>> {
  return {
    defaultName: "sharded",
    expand(input) {
      input.graph.setKnown({ urn: COMPOSITE.GROUP_INTO_BATCHES_WITH_SHARDED_KEY, batches: limits });
      const { keyCoder, valueCoder } = keyedCoders(input);
      const shardOf = sharding(valueCoder, shards);
      const fn = ({ key, value }: KV<K, V>, { timestamp }: { timestamp: Timestamp }): KV<ShardedKey<K>, V> =>
        kv({ shardId: shardOf(value, timestamp), key }, value);
      const coder = kvCoder(shardedKeyCoder(keyCoder), valueCoder) as Coder<unknown>;
      return input
        .apply(elementwise<KV<K, V>, KV<ShardedKey<K>, V>>("shard", "shard", { kind: "map", fn, concurrency: 1 }, () => coder))
        .apply(batches("batches", "batches", limits));
    },
  };
}

/** Gives each value the id of its shard: the same one whenever it is asked. */
function sharding(coder: Coder<unknown>, shards: number): (value: unknown, timestamp: Timestamp) => Uint8Array {
  const ids = Array.from({ length: shards }, (_, i) => Uint8Array.of(i >> 8, i & 0xff));
  const writer = new ByteWriter();
  return (value, timestamp) => {
    writer.reset();
    writer.writeVarint(timestamp); // so that equal values need not be in one shard
    coder.encode(value, writer, false);
    return ids[murmur3Bytes(writer.view()) % shards];
  };
}

function withoutShards<K, V>(): PTransform<PCollection<KV<ShardedKey<K>, V[]>>, PCollection<KV<K, V[]>>> {
  const fn = ({ key: { key }, value }: KV<ShardedKey<K>, V[]>): KV<K, V[]> => kv(key, value);
  return elementwise("keys", "keys", { kind: "map", fn, concurrency: 1 }, ({ coder }) => {
    const [sharded, values] = coder.components;
    return kvCoder(sharded.components[0], values) as Coder<unknown>;
  });
}
