// What examples in comments speak of without saying where it comes from. To add something: a line here.
import {
  avro,
  create,
  kv,
  countPerElement,
  map,
  option,
  parquet,
  pipeline,
  rows,
  schema,
  textIO,
  withKeys,
  type PCollection,
  type Pipeline,
  type SchemaType,
} from "beamstorm";
import { planPipeline } from "beamstorm/runner";
import { FakeStageHost } from "./fake-stage-host.js";
import { PipelineBuilder } from "./pipeline-builder.js";

/** Makes a PCollection of these elements, named after what it is made for. */
const of =
  <T>(name: string, elements: readonly T[]) =>
  (p: Pipeline): PCollection<T> =>
    p.apply(create(`given ${name}`, elements));

export const Order = schema.row({
  id: schema.string,
  customer: schema.string,
  country: schema.string,
  currency: schema.string,
  amount: schema.double,
  note: schema.nullable(schema.string),
  paid: schema.boolean,
});
export type Order = SchemaType<typeof Order>;
const given: readonly Order[] = [
  { id: "1", customer: "ada", country: "GB", currency: "GBP", amount: 1200, note: null, paid: true },
  { id: "2", customer: "emmy", country: "DE", currency: "EUR", amount: 80, note: "soon", paid: false },
];
const Customer = schema.row({ id: schema.string, name: schema.string });
const at = Date.UTC(2026, 0, 1, 12);
const pairs: readonly (readonly [string, number])[] = [
  ["a", 3],
  ["b", 1],
  ["a", 2],
];
const numbersByKey = pairs.map(([key, value]) => kv(key, value));

/** PCollections, by the names that examples have for them. */
export const collections = {
  cards: of("cards", numbersByKey),
  clicks: of("clicks", [
    { page: "/home", user: "ada", at },
    { page: "/docs", user: "emmy", at: at + 1000 },
  ]),
  counts: of("counts", [kv("a", 2)]),
  customers: (p: Pipeline) => p.apply(create("given customers", [{ id: "ada", name: "Ada" }])).apply(rows.as(Customer)),
  events: of("events", [{ at }]),
  exchangeRates: of("exchange rates", [kv("GBP", 1.2), kv("EUR", 1)]),
  latencies: of("latencies", [12, 8, 40]),
  latenciesByPage: of("latencies by page", [kv("/home", 12), kv("/home", 40), kv("/docs", 8)]),
  lines: of("lines", ['{"id":"1"}', '{"id":"2","user":"user=ada"}']),
  numbers: of("numbers", [1, 2, 3]),
  orders: (p: Pipeline) => p.apply(create("given orders", given)).apply(rows.as(Order)),
  ordersByUser: (p: Pipeline) => p.apply(create("given orders by user", given)).apply(withKeys(({ customer }) => customer)),
  ours: of("ours", ["a", "b", "b"]),
  paths: of("paths", ["a/b", "a/c"]),
  prices: of("prices", [3, 4]),
  readings: of("readings", numbersByKey),
  sales: of("sales", numbersByKey),
  scores: of("scores", numbersByKey),
  stopWords: of("stop words", ["the"]),
  theirs: of("theirs", ["b", "c"]),
  urls: of("urls", ["https://example.org/a"]),
  users: of("users", [{ id: "ada", email: "ada@example.org", requests: 3 }]),
  usersById: of("users by id", [kv("ada", { name: "Ada" })]),
  usersByPage: of("users by page", [kv("/home", "ada")]),
  visits: of("visits", [{ user: "ada" }, { user: "emmy" }]),
  visitsByUser: of("visits by user", [kv("ada", "/home"), kv("ada", "/docs")]),
  words: of("words", ["to", "be", "or", "not", "to", "be"]),
};

export interface Price {
  readonly amount: number;
  readonly currency: string;
}
export const rates = { of: (currency: string): Promise<number> => Promise.resolve(currency.length) };
export const database = { insert: (batch: readonly unknown[]): Promise<number> => Promise.resolve(batch.length) };
export const parse = (line: string): Order => JSON.parse(line) as Order;
export const wordcount = pipeline({
  options: { input: option.string({ default: "a.txt", help: "files to read" }) },
  build: (p, { input }) =>
    p
      .apply(textIO.read(input))
      .apply(countPerElement())
      .apply(map(({ key }) => key)),
});

/** A pipeline as its message, its topology, and what executes its stages: what the runner is given. */
const builder = new PipelineBuilder();
builder.parDo("work", builder.impulse());
export const translated = builder.build();
export const planned = planPipeline(translated, { parallelism: 1 });
export const host = new FakeStageHost({ work: () => undefined });

const Stored = schema.row({ id: schema.int64, at: schema.millisInstant, note: schema.nullable(schema.string) });
/** Makes more files that examples read. */
export const typedFiles = pipeline((p) => {
  const stored = p.apply(create([{ id: 1n, at, note: null }])).apply(rows.as(Stored));
  stored.apply(avro.write("orders/1.avro", Stored));
  stored.apply(parquet.write("orders/1.parquet", Stored));
});

/** Files that examples read. */
export const files: Readonly<Record<string, string>> = {
  "README.md": "to be or not\n",
  "a.txt": "to be\nor not\n",
  "logs/a.log": "started\nended\n",
  "orders/1.csv": "id,amount,paid\n1,1200,true\n2,80,false\n",
  "orders/1.jsonl": '{"id":"1"}\n{"id":"2"}\n',
};
