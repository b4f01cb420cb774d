// Schemas of any depth, each with rows of it: what typed file formats are checked with.
import fc from "fast-check";
import { schema, type RowSchema, type Schema } from "../../../portability/schemas/index.js";

/** A type, what its values are called in a counterexample, and some of its values. */
interface TypeCase {
  readonly name: string;
  readonly type: Schema<unknown>;
  readonly values: fc.Arbitrary<unknown>;
}

/** A schema and some of its rows. */
export class AnyRows {
  constructor(
    readonly name: string,
    readonly schema: RowSchema<Readonly<Record<string, unknown>>>,
    readonly rows: readonly Readonly<Record<string, unknown>>[],
  ) {}
  [fc.toStringMethod](): string {
    return `${this.name}: ${fc.stringify(this.rows)}`;
  }
}

const typeCase = (name: string, type: Schema<unknown>, values: fc.Arbitrary<unknown>): TypeCase => ({ name, type, values });
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n),
);
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.constantFrom("", "schön \u{1f600}", "__proto__", "a\u0000b", "\ufeffx"),
);
const bytes = (max: number, min = 0): fc.Arbitrary<unknown> =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((all) => new Uint8Array(all));
const plain = { noNullPrototype: true } as const;
const seconds = fc.bigInt({ min: -9_000_000_000n, max: 9_000_000_000n });

const leaves: fc.Arbitrary<TypeCase> = fc.constantFrom(
  typeCase("byte", schema.byte, fc.integer({ min: -128, max: 127 })),
  typeCase("int16", schema.int16, fc.integer({ min: -32768, max: 32767 })),
  typeCase("int32", schema.int32, fc.integer()),
  typeCase("int64", schema.int64, int64),
  typeCase("float", schema.float, fc.float()),
  typeCase("double", schema.double, fc.double()),
  typeCase("string", schema.string, text),
  typeCase("boolean", schema.boolean, fc.boolean()),
  typeCase("bytes", schema.bytes, bytes(12)),
  typeCase("millisInstant", schema.millisInstant, fc.integer({ min: -(2 ** 52), max: 2 ** 52 })),
  typeCase("microsInstant", schema.microsInstant, fc.record({ seconds, micros: fc.bigInt({ min: 0n, max: 999_999n }) }, plain)),
  typeCase("timestamp(2)", schema.timestamp(2), fc.record({ seconds, subseconds: fc.integer({ min: 0, max: 99 }) }, plain)),
  typeCase("timestamp(9)", schema.timestamp(9), fc.record({ seconds, subseconds: fc.integer({ min: 0, max: 999_999_999 }) }, plain)),
  typeCase("date", schema.date, fc.integer({ min: -100_000, max: 100_000 })),
  typeCase(
    "decimal",
    schema.decimal,
    fc.record({ unscaled: fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }), scale: fc.constant(9) }, plain),
  ),
  typeCase("fixedBytes", schema.fixedBytes(3), bytes(3, 3)),
  typeCase("varBytes", schema.varBytes(4), bytes(4)),
  typeCase("varChar", schema.varChar(30), text),
  typeCase("fixedChar", schema.fixedChar(2), fc.constantFrom("ab", "  ", "é ")),
);

const types: fc.Arbitrary<TypeCase> = fc.letrec<{ type: TypeCase }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    { weight: 5, arbitrary: leaves },
    leaves.map(({ name, type, values }) => typeCase(`nullable ${name}`, schema.nullable(type), fc.option(values))),
    tie("type").map(({ name, type, values }) => typeCase(`array of ${name}`, schema.array(type), fc.array(values, { maxLength: 3 }))),
    tie("type").map(({ name, type, values }) =>
      typeCase(`nullable array of ${name}`, schema.nullable(schema.array(type)), fc.option(fc.array(values, { maxLength: 3 }))),
    ),
    fc.tuple(fc.boolean(), tie("type")).map(([byText, { name, type, values }]) => {
      const key: [Schema<unknown>, fc.Arbitrary<unknown>] = byText ? [schema.string, text] : [schema.int64, int64];
      const maps = fc
        .uniqueArray(fc.tuple(key[1], values), { selector: ([each]) => each, maxLength: 3 })
        .map((entries) => new Map(entries));
      return typeCase(`map of ${name}`, schema.map(key[0], type), maps);
    }),
    fc.tuple(fc.boolean(), fc.array(tie("type"), { minLength: 1, maxLength: 3 })).map(([optional, fields]) => {
      const row = rowOf(fields);
      return optional ? typeCase(`nullable ${row.name}`, schema.nullable(row.type), fc.option(row.values)) : row;
    }),
  ),
})).type;

function rowOf(fields: readonly TypeCase[]): TypeCase & { readonly type: RowSchema<Readonly<Record<string, unknown>>> } {
  const named = fields.map((field, i) => [`f${i}`, field] as const);
  return {
    name: `row (${fields.map(({ name }) => name).join(", ")})`,
    type: schema.row(Object.fromEntries(named.map(([name, { type }]) => [name, type]))),
    values: fc.record(Object.fromEntries(named.map(([name, { values }]) => [name, values])), plain),
  };
}

export const anyRows: fc.Arbitrary<AnyRows> = fc
  .array(types, { minLength: 1, maxLength: 4 })
  .map(rowOf)
  .chain(({ name, type, values }) => fc.array(values, { maxLength: 8 }).map((rows) => new AnyRows(name, type, rows as AnyRows["rows"])));
