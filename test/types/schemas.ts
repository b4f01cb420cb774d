// The static types of schemas.
import { coderOf, map, of, output, parDo, schema, type Coder, type PCollection, type SchemaType } from "../../sdk/index.js";
import { expectType, type Equal } from "./equal.js";

const Order = schema.row({
  id: schema.int64,
  customer: schema.string,
  amount: schema.double,
  items: schema.array(schema.row({ sku: schema.fixedChar(8), count: schema.int32 })),
  note: schema.nullable(schema.string),
  labels: schema.map(schema.string, schema.nullable(schema.int64)),
  paid: schema.boolean,
  at: schema.millisInstant,
  price: schema.decimal,
  hash: schema.bytes,
  history: schema.iterable(schema.date),
});
type Order = SchemaType<typeof Order>;

expectType<
  Equal<
    Order,
    {
      readonly id: bigint;
      readonly customer: string;
      readonly amount: number;
      readonly items: readonly { readonly sku: string; readonly count: number }[];
      readonly note: string | null;
      readonly labels: ReadonlyMap<string, bigint | null>;
      readonly paid: boolean;
      readonly at: number;
      readonly price: { readonly unscaled: bigint; readonly scale: number };
      readonly hash: Uint8Array;
      readonly history: Iterable<number>;
    }
  >
>(true);
expectType<Equal<SchemaType<typeof schema.microsInstant>, { readonly seconds: bigint; readonly micros: bigint }>>(true);
expectType<Equal<SchemaType<ReturnType<typeof schema.varBytes>>, Uint8Array>>(true);
expectType<Equal<SchemaType<ReturnType<typeof schema.fixedBytes>>, Uint8Array>>(true);
expectType<Equal<SchemaType<ReturnType<typeof schema.varChar>>, string>>(true);
expectType<Equal<SchemaType<typeof schema.pythonCallable>, string>>(true);
expectType<
  Equal<[SchemaType<typeof schema.byte>, SchemaType<typeof schema.int16>, SchemaType<typeof schema.float>], [number, number, number]>
>(true);
expectType<Equal<SchemaType<string>, never>>(true);

const orderCoder = coderOf(Order);
expectType<Equal<typeof orderCoder, Coder<Order>>>(true);

declare const lines: PCollection<string>;
const Point = schema.row({ x: schema.int32, y: schema.nullable(schema.int32) });
type Point = SchemaType<typeof Point>;

// As the output of a ParDo, by schema and by coder.
const points = lines.apply(
  parDo({
    outputs: of(Point),
    process(line, { emit }) {
      emit({ x: line.length, y: null });
      // @ts-expect-error: a field is missing
      emit({ x: 1 });
    },
  }),
);
expectType<Equal<typeof points, PCollection<Point>>>(true);
const tagged = lines.apply(
  parDo({
    outputs: { points: of(Point), others: of(coderOf(Point)), lines: output<string>() },
    process(line, { emit }) {
      emit.points({ x: 1, y: 2 });
      emit.lines(line);
    },
  }),
);
expectType<
  Equal<typeof tagged, { readonly points: PCollection<Point>; readonly others: PCollection<Point>; readonly lines: PCollection<string> }>
>(true);
points.apply(map(({ x, y }) => expectType<Equal<[typeof x, typeof y], [number, number | null]>>(true)));

// @ts-expect-error: only rows have a coder of their own
coderOf(schema.string);
// @ts-expect-error: a field is a schema
schema.row({ x: "int32" });
