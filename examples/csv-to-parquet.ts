// CSV to Parquet with a schema: what was text becomes columns of numbers, instants and nulls that other systems read as such.
//
//   npx beamstorm run examples/csv-to-parquet.ts --input "examples/data/weather*.csv"
import { csv, map, option, parquet, pipeline, schema } from "beamstorm";

/** A line of the input: an empty field is null where there may be one, and anything else that does not fit ends the run. */
const Line = schema.row({
  station: schema.string,
  at: schema.string,
  celsius: schema.nullable(schema.double),
  note: schema.nullable(schema.string),
});

/** A row of the output: CSV knows no instants, Parquet does. */
const Reading = schema.row({
  station: schema.string,
  at: schema.millisInstant,
  celsius: schema.nullable(schema.double),
  note: schema.nullable(schema.string),
});

export default pipeline({
  options: {
    input: option.string({ default: "examples/data/weather.csv", help: "CSV files with station, at, celsius and note" }),
    output: option.string({ default: "out/csv-to-parquet/weather.parquet", help: "file to write" }),
  },
  build: (p, { input, output }) =>
    p
      .apply(csv.read(input, Line))
      .apply(map("reading", ({ at, ...line }) => ({ ...line, at: Date.parse(at) })))
      .apply(parquet.write(output, Reading)),
});
