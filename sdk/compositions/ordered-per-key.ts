// Puts the elements of each key in the order of their sequence numbers.
//
// O1. What comes out of a key has the numbers `initial`, `initial + 1` and so on, each once. What is not put out there is in `unordered`.
// O2. At most `maxWaiting` elements of a key wait.
import { doubleCoder, kvCoder, varintCoder, type Coder } from "../../portability/coders/index.js";
import { kv, type KV } from "../../portability/values/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { orderedList, value as single } from "../state/index.js";
import { fronted } from "../transforms/function-parts.js";
import { componentCoder, keyedCoders } from "../transforms/keyed-coder.js";
import { elementwise, output } from "../transforms/par-do.js";
import { statefulParDo } from "../transforms/stateful-par-do.js";
import { checkWhole } from "./limits.js";

/** Options of {@link orderedPerKey}. */
export interface OrderOptions<V> {
  /** The place of a value among those of its key and window: a whole number. */
  readonly sequenceOf: (value: V) => number;
  /** The first one; default 0. */
  readonly initial?: number;
  /** Most values of a key that wait for an earlier one; default 1000. */
  readonly maxWaiting?: number;
}

/** A value that has no place in the order, and why. */
export interface Unordered<V> {
  readonly value: V;
  readonly sequence: number;
  /**
   * "repeated": there was one of this number before. "overflow": too many wait already. "gap": an earlier one has not come when the window ended.
   */
  readonly reason: (typeof REASONS)[number];
}

/** By the numbers that their encoding has for them. */
const REASONS = ["repeated", "overflow", "gap"] as const;

/** What {@link orderedPerKey} puts out. */
export interface Ordered<K, V> {
  readonly output: PCollection<KV<K, V>>;
  readonly unordered: PCollection<KV<K, Unordered<V>>>;
}

/**
 * The values of each key and window one after the other, by ascending sequence numbers without a gap: one that comes too early waits in state. No
 * order is promised between elements of a PCollection; behind this, a stateful transform of the same keys gets them in order.
 *
 * A value is put out at its own timestamp, or at that of the one it has waited for if that is later. What cannot be put in order is in the other
 * output: see {@link Unordered}. How far each key has come is remembered until its window expires.
 *
 * @throws PipelineError at construction when the key coder is not deterministic, or windows merge
 * @throws (at run time) UserCodeError for a sequence number that is no whole number
 * @example
 * ```ts
 * const { output, unordered } = ordersByUser.apply(orderedPerKey({ sequenceOf: ({ id }) => Number(id), initial: 1 }));
 * output.apply(map(({ key, value }) => `${key} ${value.id}`));
 * unordered.apply(map(({ key, value: { sequence, reason } }) => `${key} ${sequence}: ${reason}`));
 * ```
 */
export function orderedPerKey<K, V>(options: OrderOptions<V>): PTransform<PCollection<KV<K, V>>, Ordered<K, V>>;
export function orderedPerKey<K, V>(name: string, options: OrderOptions<V>): PTransform<PCollection<KV<K, V>>, Ordered<K, V>>;
export function orderedPerKey<K, V>(
  ...args: [string, OrderOptions<V>] | [OrderOptions<V>]
): PTransform<PCollection<KV<K, V>>, Ordered<K, V>> {
  const [name, { sequenceOf, initial = 0, maxWaiting = 1000 }] = args.length === 2 ? args : [undefined, args[0]];
  checkWhole("initial", initial, Number.MIN_SAFE_INTEGER);
  checkWhole("maxWaiting", maxWaiting, 0);
  return fronted(name, "orderedPerKey", (input: PCollection<KV<K, V>>, first) =>
    input.apply(first(numbered<K, V>(sequenceOf, keyedCoders(input)))).apply(inOrder<K, V>(initial, maxWaiting)),
  );
}

/** A value, behind its sequence number. */
type Numbered<V> = KV<number, V>;

function numbered<K, V>(
  sequenceOf: (value: V) => number,
  { keyCoder, valueCoder }: ReturnType<typeof keyedCoders>,
): PTransform<PCollection<KV<K, V>>, PCollection<KV<K, Numbered<V>>>> {
  const fn = ({ key, value }: KV<K, V>): KV<K, Numbered<V>> => kv(key, kv(checkedSequence(sequenceOf(value)), value));
  const coder = kvCoder(keyCoder, kvCoder(varintCoder, valueCoder)) as Coder<unknown>;
  return elementwise("number", "number", { kind: "map", fn, concurrency: 1 }, () => coder);
}

function inOrder<K, V>(initial: number, maxWaiting: number): PTransform<PCollection<KV<K, Numbered<V>>>, Ordered<K, V>> {
  return {
    name: "order",
    defaultName: "order",
    expand(input) {
      const { keyCoder, valueCoder: numberedCoder } = keyedCoders(input);
      const valueCoder = componentCoder(numberedCoder, 1);
      return input.apply(
        statefulParDo("wait", {
          state: {
            next: single(varintCoder),
            /** By sequence number, with their timestamps. */
            waiting: orderedList(kvCoder(doubleCoder, valueCoder as Coder<V>)),
            count: single(varintCoder),
          },
          outputs: {
            output: output<KV<K, V>>(kvCoder(keyCoder, valueCoder) as unknown as Coder<KV<K, V>>),
            unordered: output<KV<K, Unordered<V>>>(kvCoder(keyCoder, unorderedCoder(valueCoder)) as unknown as Coder<KV<K, Unordered<V>>>),
          },
          process({ key, value: { key: sequence, value } }: KV<K, Numbered<V>>, { state, timestamp, emit }) {
            let next = state.next.read() ?? initial;
            const refuse = (reason: Unordered<V>["reason"]): void => emit.unordered(kv(key, { value, sequence, reason }));
            if (sequence < next || (sequence > next && state.waiting.read(sequence, sequence + 1).length > 0)) return refuse("repeated");
            const count = state.count.read() ?? 0;
            if (sequence > next) {
              if (count >= maxWaiting) return refuse("overflow");
              state.waiting.add(sequence, kv(timestamp, value));
              state.count.write(count + 1);
              return;
            }
            emit.output(kv(key, value));
            next++;
            let left = count;
            while (left > 0) {
              const [ready] = state.waiting.read(next, next + 1);
              if (ready === undefined) break;
              emit.output(kv(key, ready.value.value), Math.max(timestamp, ready.value.key));
              next++;
              left--;
            }
            state.next.write(next);
            if (left === count) return;
            state.waiting.clear(-Infinity, next);
            state.count.write(left);
          },
          onWindowExpiration({ key }, { state, emit }) {
            for (const { timestamp: sequence, value: waiting } of state.waiting.read())
              emit.unordered(kv(key, { value: waiting.value, sequence, reason: "gap" as const }));
          },
        }),
      );
    },
  };
}

function checkedSequence(sequence: unknown): number {
  if (Number.isSafeInteger(sequence)) return sequence as number;
  throw new TypeError(`sequenceOf gives a whole number, not ${String(sequence)}`);
}

function unorderedCoder(values: Coder<unknown>): Coder<unknown> {
  const coder: Coder<Unordered<unknown>> = {
    urn: "beamstorm:coder:unordered:v1",
    components: [values],
    deterministic: values.deterministic,
    encode({ value, sequence, reason }, writer, nested) {
      writer.writeVarint(sequence);
      writer.writeByte(REASONS.indexOf(reason));
      values.encode(value, writer, nested);
    },
    decode(reader, nested) {
      const sequence = reader.readVarint();
      const index = reader.readByte();
      const reason = REASONS[index] ?? reader.fail(`there is no reason ${index}`);
      return { value: values.decode(reader, nested), sequence, reason };
    },
  };
  return coder as Coder<unknown>;
}
