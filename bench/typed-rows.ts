// The rows that files of every format hold: some columns with few values, some with as many as rows, some with nulls.
import { schema, type SchemaType } from "beamstorm";
import { makeSentences } from "./text.js";

export const Order = schema.row({
  id: schema.int64,
  customer: schema.string,
  at: schema.millisInstant,
  amount: schema.double,
  pieces: schema.int32,
  paid: schema.boolean,
  note: schema.nullable(schema.string),
});
export type Order = SchemaType<typeof Order>;

export const columns = Order.shape.fields.map(({ name }) => name);

const notes = makeSentences(10_000, 5);
const customers = makeSentences(2_000, 1);
const FIRST = Date.UTC(2026, 0, 1);

export function order(i: number): Order {
  return {
    id: BigInt(i),
    customer: customers[i % customers.length],
    at: FIRST + i * 997,
    amount: ((i * 7919) % 1_000_003) / 100,
    pieces: i % 40,
    paid: i % 3 !== 0,
    note: i % 4 === 0 ? null : notes[(i * 31) % notes.length],
  };
}

export function* orders(count: number): Generator<Order> {
  for (let i = 0; i < count; i++) yield order(i);
}

const lineOf = (i: number): string => Object.values(order(i)).join(",") + "\n";

/** So many rows have this size as CSV: sizes of every format are counted so. */
export function ordersIn(csvBytes: number): number {
  let sample = 0;
  for (let i = 0; i < 10_000; i++) sample += lineOf(i * 101).length;
  return Math.floor(csvBytes / (sample / 10_000));
}

export function* csvChunks(count: number): Generator<string> {
  let text = `${columns.join(",")}\n`;
  for (let i = 0; i < count; i++) {
    text += lineOf(i);
    if (text.length < 1_000_000) continue;
    yield text;
    text = "";
  }
  yield text;
}
