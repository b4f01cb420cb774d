// What can be said of the values of a field in a group of rows. As in SQL, null is no value: it is not counted, added or compared.
import { schema, type Schema, type SchemaField } from "../../portability/schemas/index.js";
import type { CombineFn } from "../model/combine-fn.js";
import { approximateUniqueFn, type UniqueOptions } from "../transforms/approximate-unique.js";
import type { NumberField, OrderedField, FieldOf } from "./row-types.js";
import { nullable } from "./schema-of.js";

/** An aggregate: of which field, and how. */
export interface Aggregate<Kind extends string, Field extends string | undefined, Out = unknown> {
  readonly kind: Kind;
  readonly field: Field;
  /** @internal Its function and the type of its result, for a field of this type. */
  readonly plan: (field: SchemaField | undefined) => AggregatePlan;
  /** Only for the type checker. */
  readonly result?: () => Out;
}

/** @internal */
export interface AggregatePlan {
  readonly combineFn: CombineFn<unknown, unknown, unknown>;
  readonly type: Schema<unknown>;
}

/** Which aggregates rows of a type can have. */
export type AggregatesOf<T> = Readonly<
  Record<
    string,
    | Aggregate<"count", undefined>
    | Aggregate<"count" | "approximateUnique", FieldOf<T>>
    | Aggregate<"sum" | "mean", NumberField<T>>
    | Aggregate<"min" | "max", OrderedField<T>>
    | CombineOfField<T>
  >
>;
type CombineOfField<T> = {
  readonly [F in FieldOf<T>]: Aggregate<"combine", F> & { readonly input?: (value: NonNullable<T[F]>) => void };
}[FieldOf<T>];

type NullOf<V> = null extends V ? null : never;
type ResultOf<T, A> =
  A extends Aggregate<"count" | "approximateUnique", string | undefined>
    ? bigint
    : A extends Aggregate<"sum" | "min" | "max", infer F extends keyof T & string>
      ? T[F]
      : A extends Aggregate<"mean", infer F extends keyof T & string>
        ? number | NullOf<T[F]>
        : A extends Aggregate<"combine", string, infer Out>
          ? Out
          : never;
/** The fields that aggregates make. */
export type Aggregated<T, A> = { readonly [N in keyof A]: ResultOf<T, A[N]> };

type AnyCombineFn = CombineFn<unknown, unknown, unknown>;

const aggregate = <Kind extends string, Field extends string | undefined, Out>(
  kind: Kind,
  field: Field,
  plan: (field: SchemaField | undefined) => AggregatePlan,
): Aggregate<Kind, Field, Out> => ({ kind, field, plan });

/**
 * How many rows there are, or how many of them have a value in a field: an int64.
 *
 * @example
 * ```ts
 * orders.apply(rows.groupBy(["country"], { orders: rows.count(), noted: rows.count("note") }));
 * ```
 */
export function count(): Aggregate<"count", undefined, bigint>;
export function count<const F extends string>(field: F): Aggregate<"count", F, bigint>;
export function count(field?: string): Aggregate<"count", string | undefined, bigint> {
  return aggregate("count", field, () => ({ combineFn: countRows as AnyCombineFn, type: schema.int64 }));
}

/**
 * The sum of a field: a double, or an int64 of an int64.
 *
 * @throws (at run time) RangeError for a sum that an int64 does not hold
 * @example
 * ```ts
 * orders.apply(rows.groupBy(["country"], { total: rows.sum("amount") }));
 * ```
 */
export function sum<const F extends string>(field: F): Aggregate<"sum", F> {
  return aggregate("sum", field, (of) => {
    const whole = of!.type.shape.kind === "int64";
    return {
      combineFn: (whole ? sumBigInts : started((a: number, b: number) => a + b)) as AnyCombineFn,
      type: sameNulls(whole ? schema.int64 : schema.double, of!),
    };
  });
}

/**
 * The mean of a field: a double.
 *
 * @example
 * ```ts
 * orders.apply(rows.groupBy(["country"], { average: rows.mean("amount") }));
 * ```
 */
export function mean<const F extends string>(field: F): Aggregate<"mean", F> {
  return aggregate("mean", field, (of) => ({ combineFn: meanOfNumbers as AnyCombineFn, type: sameNulls(schema.double, of!) }));
}

/**
 * The least value of a field.
 *
 * @example
 * ```ts
 * orders.apply(rows.groupBy(["country"], { smallest: rows.min("amount") }));
 * ```
 */
export function min<const F extends string>(field: F): Aggregate<"min", F> {
  return aggregate("min", field, (of) => ({
    combineFn: started((a: number, b: number) => (b < a ? b : a)) as AnyCombineFn,
    type: of!.type,
  }));
}

/**
 * The greatest value of a field.
 *
 * @example
 * ```ts
 * orders.apply(rows.groupBy(["country"], { largest: rows.max("amount") }));
 * ```
 */
export function max<const F extends string>(field: F): Aggregate<"max", F> {
  return aggregate("max", field, (of) => ({
    combineFn: started((a: number, b: number) => (b > a ? b : a)) as AnyCombineFn,
    type: of!.type,
  }));
}

/**
 * About how many different values a field has: an int64; see `approximateUniqueFn`.
 *
 * @example
 * ```ts
 * orders.apply(rows.groupBy(["country"], { customers: rows.approximateUnique("customer") }));
 * ```
 */
export function approximateUnique<const F extends string>(field: F, options?: UniqueOptions): Aggregate<"approximateUnique", F, bigint> {
  const unique = approximateUniqueFn(options);
  const combineFn = { ...unique, extractOutput: (registers: Uint8Array) => BigInt(Math.round(unique.extractOutput(registers))) };
  return aggregate("approximateUnique", field, () => ({ combineFn: combineFn as AnyCombineFn, type: schema.int64 }));
}

/**
 * What a CombineFn makes of the values of a field, with the type of its result.
 *
 * @example
 * ```ts
 * orders.apply(rows.groupBy(["country"], { top: rows.combine("amount", topFn<number>(3), schema.array(schema.double)) }));
 * ```
 */
export function combine<const F extends string, In, Acc, Out>(
  field: F,
  combineFn: CombineFn<In, Acc, NoInfer<Out>>,
  type: Schema<Out>,
): Aggregate<"combine", F, Out> & { readonly input?: (value: In) => void } {
  return aggregate("combine", field, () => ({ combineFn: combineFn as AnyCombineFn, type }));
}

const sameNulls = (type: Schema<unknown>, { type: { nullable: may } }: SchemaField): Schema<unknown> => (may ? nullable(type) : type);

const countRows: CombineFn<unknown, number, bigint> = {
  createAccumulator: () => 0,
  addInput: (n) => n + 1,
  mergeAccumulators: (a, b) => a + b,
  extractOutput: (n) => BigInt(n),
};

/** A function of two values, and null for none. */
function started<V>(fn: (left: V, right: V) => V): CombineFn<V, V | null, V | null> {
  const both = (a: V | null, b: V | null): V | null => (a === null ? b : b === null ? a : fn(a, b));
  return { createAccumulator: () => null, addInput: both, mergeAccumulators: both, extractOutput: (value) => value };
}

const sumBigInts: CombineFn<bigint, bigint | null, bigint | null> = {
  ...started((a: bigint, b: bigint) => a + b),
  extractOutput(total) {
    if (total !== null && BigInt.asIntN(64, total) !== total) throw new RangeError(`the sum ${total} is more than an int64 holds`);
    return total;
  },
};

const meanOfNumbers: CombineFn<number | bigint, [sum: number, count: number], number | null> = {
  createAccumulator: () => [0, 0],
  addInput(a, x) {
    a[0] += Number(x);
    a[1]++;
    return a;
  },
  mergeAccumulators(a, b) {
    a[0] += b[0];
    a[1] += b[1];
    return a;
  },
  extractOutput: ([total, n]) => (n === 0 ? null : total / n),
};
