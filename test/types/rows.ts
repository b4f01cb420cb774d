// The static types of transforms of rows.
import * as v from "valibot";
import { z } from "zod";
import { map, rows, schema, topFn, type KV, type PCollection, type RowSchema, type SchemaType } from "../../sdk/index.js";
import { expectType, type Equal } from "./equal.js";

const Order = schema.row({
  id: schema.string,
  customer: schema.string,
  amount: schema.double,
  items: schema.int64,
  note: schema.nullable(schema.string),
  discount: schema.nullable(schema.double),
  paid: schema.boolean,
});
type Order = SchemaType<typeof Order>;
const Customer = schema.row({ id: schema.string, name: schema.string });
type Customer = SchemaType<typeof Customer>;
declare const orders: PCollection<Order>;
declare const customers: PCollection<Customer>;

const selected = orders.apply(rows.select("id", "note"));
expectType<Equal<typeof selected, PCollection<{ readonly id: string; readonly note: string | null }>>>(true);
// @ts-expect-error: there is no such field
orders.apply(rows.select("id", "nothing"));

const dropped = orders.apply(rows.drop("items", "note", "discount", "paid"));
expectType<Equal<typeof dropped, PCollection<{ readonly id: string; readonly customer: string; readonly amount: number }>>>(true);
// @ts-expect-error: there is no such field
orders.apply(rows.drop("nothing"));

const renamed = orders.apply(rows.select("id", "amount")).apply(rows.rename({ id: "order" }));
expectType<Equal<typeof renamed, PCollection<{ readonly order: string; readonly amount: number }>>>(true);
// @ts-expect-error: there is no such field
orders.apply(rows.rename({ nothing: "something" }));

const added = orders.apply(rows.select("amount")).apply(rows.add("large", schema.boolean, ({ amount }) => amount > 10));
expectType<Equal<typeof added, PCollection<{ readonly amount: number; readonly large: boolean }>>>(true);
// @ts-expect-error: the function gives another type
orders.apply(rows.add("large", schema.boolean, ({ amount }) => amount));

const grouped = orders.apply(
  rows.groupBy(["customer"], {
    orders: rows.count(),
    notes: rows.count("note"),
    total: rows.sum("amount"),
    items: rows.sum("items"),
    discount: rows.sum("discount"),
    average: rows.mean("items"),
    averageDiscount: rows.mean("discount"),
    first: rows.min("id"),
    largest: rows.max("discount"),
    different: rows.approximateUnique("note"),
    top: rows.combine("amount", topFn<number>(3), schema.array(schema.double)),
  }),
);
expectType<
  Equal<
    typeof grouped,
    PCollection<{
      readonly customer: string;
      readonly orders: bigint;
      readonly notes: bigint;
      readonly total: number;
      readonly items: bigint;
      readonly discount: number | null;
      readonly average: number;
      readonly averageDiscount: number | null;
      readonly first: string;
      readonly largest: number | null;
      readonly different: bigint;
      readonly top: readonly number[];
    }>
  >
>(true);
// @ts-expect-error: there is no such field
orders.apply(rows.groupBy(["nothing"], { n: rows.count() }));
// @ts-expect-error: texts have no sum
orders.apply(rows.groupBy(["customer"], { n: rows.sum("note") }));
// @ts-expect-error: truth values have no order
orders.apply(rows.groupBy(["customer"], { n: rows.max("paid") }));
// @ts-expect-error: there is no such field
orders.apply(rows.groupBy(["customer"], { n: rows.count("nothing") }));
// @ts-expect-error: the function is for numbers, the field is a text
orders.apply(rows.groupBy(["customer"], { n: rows.combine("id", topFn<number>(3), schema.array(schema.double)) }));

const collected = orders.apply(rows.groupBy(["customer"]));
expectType<Equal<typeof collected, PCollection<KV<{ readonly customer: string }, Iterable<Order>>>>>(true);
const whole = orders.apply(rows.aggregate({ n: rows.count() }));
expectType<Equal<typeof whole, PCollection<{ readonly n: bigint }>>>(true);

const small = orders.apply(rows.select("id", "customer"));
const names = customers.apply(rows.rename({ id: "customer" }));
const inner = small.apply(rows.join(names, ["customer"]));
expectType<Equal<typeof inner, PCollection<{ readonly id: string; readonly customer: string; readonly name: string }>>>(true);
const left = small.apply(rows.join(customers, { customer: "id" }, "left"));
expectType<Equal<typeof left, PCollection<{ readonly id: string; readonly customer: string; readonly name: string | null }>>>(true);
const right = small.apply(rows.join(names, ["customer"], "right"));
expectType<Equal<typeof right, PCollection<{ readonly id: string | null; readonly customer: string; readonly name: string }>>>(true);
const full = small.apply(rows.join(names, ["customer"], "full"));
expectType<Equal<typeof full, PCollection<{ readonly id: string | null; readonly customer: string; readonly name: string | null }>>>(true);
// @ts-expect-error: both have an id
small.apply(rows.join(customers.apply(rows.add("customer", schema.string, ({ id }) => id)), ["customer"]));
// @ts-expect-error: the other side has no such field
small.apply(rows.join(customers, { customer: "nothing" }));

declare const anything: PCollection<unknown>;
const asOrders = anything.apply(rows.as(Order));
expectType<Equal<typeof asOrders, PCollection<Order>>>(true);
const Visit = z.object({ user: z.string(), seconds: z.number().optional() });
const visits = anything.apply(rows.validate(Visit));
visits.apply(map(({ user, seconds }) => expectType<Equal<[typeof user, typeof seconds], [string, number | undefined]>>(true)));
const kept = anything.apply(rows.validate(v.object({ user: v.string() }), { invalid: "keep" }));
kept.valid.apply(map(({ user }) => expectType<Equal<typeof user, string>>(true)));
kept.invalid.apply(map(({ issues }) => expectType<Equal<typeof issues, readonly string[]>>(true)));
const visitSchema = rows.schemaFrom(Visit);
expectType<Equal<typeof visitSchema, RowSchema<{ readonly user: string; readonly seconds: number | null }>>>(true);
