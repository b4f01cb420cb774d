// Schemas where pipelines use them: as declared outputs, as keys, and as what a coder is given for.
import assert from "node:assert/strict";
import { kvCoder, utf8Coder } from "../../../../portability/coders/index.js";
import {
  coderOf,
  create,
  flatMap,
  groupByKey,
  kv,
  map,
  of,
  parDo,
  pipeline,
  PipelineError,
  run,
  schema,
  withCoder,
  type SchemaType,
} from "../../../../sdk/index.js";
import { assertElements } from "../../../../sdk/testing/index.js";
import { local } from "../../../../local/index.js";

const Place = schema.row({ country: schema.string, city: schema.nullable(schema.string) });
const Sale = schema.row({ place: Place, cents: schema.int64, tags: schema.array(schema.string) });
type Sale = SchemaType<typeof Sale>;

const lines = ["de,Bonn,100,a b", "de,,20,", "fr,Lyon,3,c", "de,Bonn,5,", "de,,1,d"];
const parse = (line: string): Sale => {
  const [country, city, cents, tags] = line.split(",");
  return { place: { country, city: city === "" ? null : city }, cents: BigInt(cents), tags: tags.split(" ").filter(Boolean) };
};
const toSales = () => parDo("parse", { outputs: of(Sale), process: (line: string, { emit }) => emit(parse(line)) });

describe("rows in a pipeline", () => {
  it("are grouped by a key that is a row, whatever the order of its properties and however it says null", async () => {
    const keyed = parDo("key", {
      outputs: of(kvCoder(coderOf(Place), coderOf(Sale))),
      process(sale: Sale, { emit }) {
        const { country, city } = sale.place;
        emit(kv(sale.cents % 2n === 0n ? { country, city } : ({ city: city ?? undefined, country } as typeof sale.place), sale));
      },
    });
    const definition = pipeline((p) =>
      p
        .apply(create(lines))
        .apply(toSales())
        .apply(keyed)
        .apply(groupByKey())
        .apply(map(({ key, value }) => `${key.country}/${key.city ?? "-"}: ${[...value].reduce((sum, { cents }) => sum + cents, 0n)}`))
        .apply(assertElements(["de/Bonn: 105", "de/-: 21", "fr/Lyon: 3"])),
    );
    await run(definition, {}, local());
  });

  it("keep every field on the way through a shuffle", async () => {
    const definition = pipeline((p) =>
      p
        .apply(create(lines))
        .apply(toSales())
        .apply(map((sale) => kv(sale.place, sale)))
        .apply(withCoder(kvCoder(coderOf(Place), coderOf(Sale))))
        .apply(groupByKey())
        .apply(flatMap(({ value }) => value))
        .apply(withCoder(coderOf(Sale)))
        .apply(assertElements(lines.map(parse))),
    );
    await run(definition, {}, local());
  });

  it("cannot be keys where equal ones might have different bytes", () => {
    const Point = schema.row({ x: schema.double });
    const definition = pipeline((p) => p.apply(create([kv({ x: 1 }, "a")], kvCoder(coderOf(Point), utf8Coder))).apply(groupByKey()));
    assert.throws(
      () => definition.build(),
      (error) => error instanceof PipelineError && /groups by a key whose coder beam:coder:row:v1 is not deterministic/.test(error.message),
    );
  });
});
