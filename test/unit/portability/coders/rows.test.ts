// Rows beyond Beam's vectors: every type of field, nulls, positions, and what other SDKs write differently.
import assert from "node:assert/strict";
import { beam } from "../../../../portability/protos/index.js";
import {
  coderOf,
  CoderRegistry,
  kvCoder,
  rowCoderFromPayload,
  schemaFromProto as schemaFrom,
  schemaToProto,
  type Coder,
} from "../../../../portability/coders/index.js";
import { logicalType, schema, type RowSchema, type Schema } from "../../../../portability/schemas/index.js";
import { assertCoding, assertUndecodable, assertUnencodable, decode, encode, fromHex, hexOf } from "../../../support/coding.js";

type Row = Readonly<Record<string, unknown>>;

/** The coder of a row with the one field `f`. */
const field = <T>(type: Schema<T>): Coder<{ readonly f: T }> => coderOf(schema.row({ f: type }));
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe("row coder", () => {
  context("with a field of every type", () => {
    const cases: [string, Coder<unknown>, unknown, string][] = [
      ["byte", field(schema.byte), -128, "80"],
      ["byte", field(schema.byte), 127, "7f"],
      ["int16", field(schema.int16), -2, "fffe"],
      ["int16", field(schema.int16), 0x1234, "1234"],
      ["int16", field(schema.int16), -0x8000, "8000"],
      ["int32", field(schema.int32), 300, "ac02"],
      ["int32", field(schema.int32), -1, "ff ff ff ff 0f"],
      ["int32", field(schema.int32), -(2 ** 31), "80 80 80 80 08"],
      ["int32", field(schema.int32), 2 ** 31 - 1, "ff ff ff ff 07"],
      ["int64", field(schema.int64), -1n, "ff ff ff ff ff ff ff ff ff 01"],
      ["int64", field(schema.int64), 2n ** 63n - 1n, "ff ff ff ff ff ff ff ff 7f"],
      ["float", field(schema.float), 0.5, "3f000000"],
      ["float", field(schema.float), -0, "80000000"],
      ["float", field(schema.float), Infinity, "7f800000"],
      ["double", field(schema.double), -0, "8000000000000000"],
      ["double", field(schema.double), NaN, "7ff8000000000000"],
      ["string", field(schema.string), "né\u{1f600}", "07 6e c3a9 f09f9880"],
      ["boolean", field(schema.boolean), true, "01"],
      ["bytes", field(schema.bytes), bytes(0, 255), "02 00ff"],
      ["array", field(schema.array(schema.int32)), [1, -1], "00000002 01 ffffffff0f"],
      ["array of nullable", field(schema.array(schema.nullable(schema.string))), ["a", null], "00000002 01 01 61 00"],
      ["array of arrays", field(schema.array(schema.array(schema.boolean))), [[], [true]], "00000002 00000000 00000001 01"],
      ["iterable", field(schema.iterable(schema.byte)), [1, 2], "00000002 01 02"],
      ["map", field(schema.map(schema.string, schema.int16)), new Map([["a", 1]]), "00000001 01 61 0001"],
      [
        "map of nullable",
        field(schema.map(schema.nullable(schema.string), schema.nullable(schema.int16))),
        new Map([
          [null, 1],
          ["b", null],
        ] as [string | null, number | null][]),
        "00000002 00 01 0001 01 01 62 00",
      ],
      ["row", field(schema.row({ x: schema.byte })), { x: 1 }, "01 00 01"],
      ["millis_instant", field(schema.millisInstant), 1, "8000000000000001"],
      ["micros_instant", field(schema.microsInstant), { seconds: -1n, micros: 5n }, "02 00 ff ff ff ff ff ff ff ff ff 01 05"],
      ["timestamp", field(schema.timestamp(3)), { seconds: 2n, subseconds: 7 }, "02 00 02 0007"],
      ["timestamp", field(schema.timestamp(9)), { seconds: 2n, subseconds: 7 }, "02 00 02 07"],
      ["decimal", field(schema.decimal), { unscaled: -12345n, scale: 2 }, "02 02 cfc7"],
      ["decimal", field(schema.decimal), { unscaled: 0n, scale: 0 }, "00 01 00"],
      ["decimal", field(schema.decimal), { unscaled: 128n, scale: -1 }, "ffffffff0f 02 0080"],
      ["decimal", field(schema.decimal), { unscaled: -128n, scale: 0 }, "00 01 80"],
      ["fixed_bytes", field(schema.fixedBytes(2)), bytes(1, 2), "02 0102"],
      ["var_bytes", field(schema.varBytes(5)), bytes(1), "01 01"],
      ["fixed_char", field(schema.fixedChar(2)), "ab", "02 6162"],
      ["var_char", field(schema.varChar(5)), "é", "02 c3a9"],
      ["date", field(schema.date), -1, "ff ff ff ff ff ff ff ff ff 01"],
      ["date", field(schema.date), 20000, "a0 9c 01"],
      ["python_callable", field(schema.pythonCallable), "len", "03 6c656e"],
      ["unknown logical type", field(logicalType("my:type", schema.int16)), 5, "0005"],
    ];
    for (const [name, coder, value, hex] of cases)
      it(`${name}: ${hex}`, () => {
        assertCoding(coder, { f: value }, `01 00 ${hex}`);
        // And after a way through the message.
        assertCoding(rowCoderFromPayload(coder.payload!), { f: value } as Row, `01 00 ${hex}`);
      });

    it("reads a negative int32 of Go, sign-extended to ten bytes", () => {
      assert.deepEqual(decode(field(schema.int32), "01 00 ff ff ff ff ff ff ff ff ff 01"), { f: -1 });
      assert.deepEqual(decode(field(schema.int32), "01 00 80 80 80 80 f8 ff ff ff ff 01"), { f: -(2 ** 31) });
    });

    it("reads iterables of unknown length, and decimals of more bytes than they need", () => {
      assert.deepEqual(decode(field(schema.iterable(schema.byte)), "01 00 ffffffff 02 01 02 01 03 00"), { f: [1, 2, 3] });
      assert.deepEqual(decode(field(schema.decimal), "01 00 00 03 ffff80"), { f: { unscaled: -128n, scale: 0 } });
      assert.deepEqual(decode(field(schema.decimal), "01 00 00 00"), { f: { unscaled: 0n, scale: 0 } });
    });

    it("pads what has a fixed length", () => {
      assert.equal(hexOf(field(schema.fixedBytes(3)), { f: bytes(1) }), "010003010000");
      assert.equal(hexOf(field(schema.fixedChar(3)), { f: "a" }), "010003612020");
    });

    it("refuses values that a field does not have", () => {
      const refused: [Coder<unknown>, unknown, RegExp][] = [
        [field(schema.byte), 128, /expected an integer from -128 to 127, got the number 128/],
        [field(schema.byte), 1n, /got the bigint 1/],
        [field(schema.int16), 0x8000, /expected an integer of 16 bits/],
        [field(schema.int16), "5", /got a string/],
        [field(schema.int32), 2 ** 31, /expected an integer of 32 bits/],
        [field(schema.int32), 0.5, /expected an integer of 32 bits/],
        [field(schema.int32), NaN, /expected an integer of 32 bits/],
        [field(schema.int64), 1, /expected a bigint, got the number 1/],
        [field(schema.int64), 2n ** 63n, /not a signed 64-bit integer/],
        [field(schema.float), 1n, /expected a number/],
        [field(schema.string), 1, /expected a string/],
        [field(schema.bytes), [1], /expected a Uint8Array/],
        [field(schema.array(schema.byte)), 5, /expected an iterable/],
        [field(schema.map(schema.string, schema.byte)), {}, /expected a Map/],
        [field(schema.row({ x: schema.byte })), 1, /expected a row/],
        [field(schema.millisInstant), NaN, /NaN is not a timestamp/],
        [field(schema.millisInstant), "1", /not a timestamp/],
        [field(schema.decimal), 1.5, /expected a decimal/],
        [field(schema.decimal), { unscaled: 1n, scale: 1n }, /expected a decimal/],
        [field(schema.decimal), { unscaled: 1n, scale: 2 ** 31 }, /a scale of 32 bits/],
        [field(schema.fixedBytes(1)), bytes(1, 2), /2 bytes do not fit into a field of 1/],
        [field(schema.varBytes(1)), bytes(1, 2), /2 bytes do not fit into a field of 1/],
        [field(schema.fixedChar(1)), "ab", /2 characters do not fit into a field of 1/],
        [field(schema.varChar(1)), "ab", /2 characters do not fit into a field of 1/],
        [field(schema.date), 0.5, /expected a whole number of days/],
        [field(schema.pythonCallable), () => 1, /expected a string, got function/],
        [field(schema.string), null, /field "f" of a row is null, which its schema does not allow/],
        [field(schema.string), undefined, /field "f" of a row is undefined/],
      ];
      for (const [coder, value, message] of refused) assertUnencodable(coder, { f: value }, message);
      assertUnencodable(field(schema.byte) as Coder<unknown>, null, /expected a row, got null/);
    });
  });

  context("with nulls", () => {
    const nine = coderOf(schema.row(Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`f${i}`, schema.nullable(schema.byte)]))));
    const row = (...nulls: number[]): Row =>
      Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`f${i}`, nulls.includes(i) ? null : i]));

    it("writes no bitmap where nothing is null, and none of its trailing zeros", () => {
      assertCoding(nine, row(), "09 00 00 01 02 03 04 05 06 07 08");
      assertCoding(nine, row(1, 8), "09 02 0201 00 02 03 04 05 06 07");
      assertCoding(nine, row(0), "09 01 01 01 02 03 04 05 06 07 08");
      assertCoding(nine, row(8), "09 02 0001 00 01 02 03 04 05 06 07");
      assertCoding(nine, row(0, 1, 2, 3, 4, 5, 6, 7, 8), "09 02 ff01");
    });

    it("reads bitmaps of any length", () => {
      assert.deepEqual(decode(nine as Coder<Row>, "09 02 0100 01 02 03 04 05 06 07 08"), row(0));
      assert.deepEqual(decode(nine as Coder<Row>, "09 04 01000000 01 02 03 04 05 06 07 08"), row(0));
      assertUndecodable(nine, "09 7f 01", /length 127 is beyond the end of the input/);
    });

    it("writes undefined and a missing property as null", () => {
      assert.equal(hexOf(field(schema.nullable(schema.byte)) as Coder<unknown>, {}), "010101");
      assert.equal(hexOf(field(schema.nullable(schema.byte)) as Coder<unknown>, { f: undefined }), "010101");
    });

    it("keeps bits apart in three bytes", () => {
      const names = Array.from({ length: 20 }, (_, i) => `n${i}`);
      const twenty = coderOf(schema.row(Object.fromEntries(names.map((name) => [name, schema.nullable(schema.boolean)])))) as Coder<Row>;
      for (let at = 0; at < 20; at++) {
        const value = Object.fromEntries(names.map((name, i) => [name, i === at ? null : i % 2 === 0]));
        assert.deepEqual(decode(twenty, encode(twenty, value)), value);
      }
    });
  });

  context("with another number of fields than the schema", () => {
    const two = coderOf(schema.row({ a: schema.byte, b: schema.nullable(schema.byte) }));

    it("takes missing fields for null", () => {
      assert.deepEqual(decode(two, "01 00 05"), { a: 5, b: null });
      assert.deepEqual(decode(two, "00 00"), { a: null, b: null });
    });

    it("ignores fields that it does not know where the row is outermost, and refuses them elsewhere", () => {
      assert.deepEqual(decode(two, "03 00 05 06 070809", false), { a: 5, b: 6 });
      assertUndecodable(two, "03 00 05 06 07", /a row of 3 fields, where the schema has 2/);
      assertUndecodable(two, "ff ff ff ff ff ff ff ff ff 01 00", /a row of -1 fields/);
    });
  });

  context("with encoding positions", () => {
    const proto: beam.pipeline.ISchema = {
      encodingPositionsSet: true,
      fields: ["a", "b", "c"].map((name, i) => ({
        name,
        encodingPosition: [2, 0, 1][i],
        type: { atomicType: beam.pipeline.AtomicType.BYTE, nullable: i === 0 },
      })),
    };
    const coder = (set: boolean): Coder<Row> =>
      rowCoderFromPayload(beam.pipeline.Schema.encode({ ...proto, encodingPositionsSet: set }).finish()) as Coder<Row>;

    it("writes fields by their positions, and gives them in the order of the schema", () => {
      assertCoding(coder(true), { a: 1, b: 2, c: 3 }, "03 00 02 03 01");
      assertCoding(coder(true), { a: null, b: 2, c: 3 }, "03 01 01 02 03");
      assert.deepEqual(Object.keys(decode(coder(true), "03 00 02 03 01")), ["a", "b", "c"]);
      assert.deepEqual(decode(coder(true), "02 00 02 03"), { a: null, b: 2, c: 3 }, "the field that comes last is missing");
    });

    it("takes no notice of positions that are not set", () => {
      assertCoding(coder(false), { a: 1, b: 2, c: 3 }, "03 00 01 02 03");
    });
  });

  context("with static encoding", () => {
    const coder = coderOf(schema.row({ a: schema.byte, b: schema.string }, { staticEncoding: true }));

    it("has the fields alone", () => {
      assertCoding(coder, { a: 1, b: "x" }, "01 01 78");
      assertCoding(rowCoderFromPayload(coder.payload!) as Coder<unknown>, { a: 1, b: "x" }, "01 01 78");
      assertUnencodable(coder, { a: 1, b: null }, /field "b" of a row is null/);
    });
  });

  it("keeps rows in rows apart", () => {
    const Inner = schema.row({ x: schema.nullable(schema.string), y: schema.int64 });
    const Outer = schema.row({
      i: schema.nullable(Inner),
      list: schema.array(Inner),
      by: schema.map(schema.string, schema.nullable(Inner)),
    });
    const value = {
      i: { x: null, y: 1n },
      list: [{ x: "a", y: 2n }],
      by: new Map([
        ["k", null],
        ["l", { x: "b", y: 3n }],
      ] as [string, { x: string; y: bigint } | null][]),
    };
    assertCoding(coderOf(Outer), value, "03 00  02 01 01 01  00000001 02 00 01 61 02  00000002 01 6b 00 01 6c 01 02 00 01 62 03");
    assert.deepEqual(decode(coderOf(Outer), encode(coderOf(Outer), { ...value, i: null })), { ...value, i: null });
  });

  it("is for keys unless a field is floating point or a map", () => {
    assert.ok(coderOf(schema.row({ a: schema.string, b: schema.array(schema.nullable(schema.int64)), c: schema.decimal })).deterministic);
    for (const type of [schema.double, schema.float, schema.map(schema.string, schema.string), schema.array(schema.double)])
      assert.equal(field(type as Schema<unknown>).deterministic, false);
  });

  it("delimits itself, so it can be a key and a value", () => {
    const coder = kvCoder(field(schema.string), field(schema.int64));
    assertCoding(coder, { key: { f: "k" }, value: { f: 5n } }, "01 00 01 6b 01 00 05");
  });

  it("refuses field names that a row cannot have", () => {
    const named = (...names: string[]): Uint8Array =>
      beam.pipeline.Schema.encode({ fields: names.map((name) => ({ name, type: { atomicType: 7 } })) }).finish();
    assert.throws(() => rowCoderFromPayload(named("__proto__")), /cannot be called "__proto__"/);
    assert.throws(() => rowCoderFromPayload(named("a", "a")), /two fields of a row have the same name/);
    const coder = rowCoderFromPayload(named("constructor", "toString")) as Coder<Row>;
    assertCoding(coder, { constructor: "a", toString: "b" } as unknown as Row, "02 00 01 61 01 62");
  });

  it("refuses counts that nothing justifies", () => {
    assertUndecodable(field(schema.array(schema.byte)), "01 00 7fffffff 01", /unexpected end of input/);
    assertUndecodable(field(schema.map(schema.byte, schema.byte)), "01 00 7fffffff 01 01", /a map of 2147483647 entries/);
    assertUndecodable(field(schema.map(schema.byte, schema.byte)), "01 00 ffffffff", /a map of -1 entries/);
    assertUndecodable(field(schema.array(schema.row({}, { staticEncoding: true }))), "01 00 7fffffff", /elements without bytes/);
    assertUndecodable(field(schema.decimal), "01 00 00 ff ff ff ff 07", /length 2147483647 is beyond/);
  });
});

describe("schemas and their messages", () => {
  const Everything = schema.row(
    {
      byte: schema.byte,
      int16: schema.int16,
      int32: schema.int32,
      int64: schema.int64,
      float: schema.float,
      double: schema.double,
      string: schema.string,
      boolean: schema.boolean,
      bytes: schema.nullable(schema.bytes),
      array: schema.array(schema.nullable(schema.int64)),
      iterable: schema.iterable(schema.string),
      map: schema.map(schema.string, schema.row({ x: schema.double })),
      row: schema.nullable(schema.row({ y: schema.boolean }, { id: "inner" })),
      millis: schema.millisInstant,
      micros: schema.microsInstant,
      decimal: schema.decimal,
      fixedBytes: schema.fixedBytes(4),
      varBytes: schema.varBytes(5),
      fixedChar: schema.fixedChar(6),
      varChar: schema.varChar(7),
      date: schema.date,
      callable: schema.pythonCallable,
      own: logicalType("my:type", schema.string, undefined, Uint8Array.of(1)),
    },
    { id: "outer" },
  );
  /** The schema as another process gets it. */
  const received = (type: RowSchema<unknown>): RowSchema<unknown> =>
    schemaFrom(beam.pipeline.Schema.decode(beam.pipeline.Schema.encode(schemaToProto(type)).finish()));

  it("come back from their message as they were", () => {
    assert.deepEqual(plain(schemaToProto(received(Everything))), plain(schemaToProto(Everything)));
  });

  it("say what Beam expects of types", () => {
    const { fields, id } = schemaToProto(Everything);
    assert.equal(id, "outer");
    assert.deepEqual(
      fields!.map(({ id: fieldId, encodingPosition }) => [fieldId, encodingPosition]),
      fields!.map((_, i) => [i, i]),
    );
    const fixed = fields!.find(({ name }) => name === "fixedBytes")!.type!.logicalType!;
    assert.equal(fixed.urn, "beam:logical_type:fixed_bytes:v1");
    assert.equal(fixed.representation!.atomicType, beam.pipeline.AtomicType.BYTES);
    assert.equal(fixed.argumentType!.atomicType, beam.pipeline.AtomicType.INT32);
    assert.equal(fixed.argument!.atomicValue!.int32, 4);
  });

  it("keep options, and arguments of types that are not known here", () => {
    const option = { name: "o", type: { atomicType: 7 }, value: { atomicValue: { string: "v" } } };
    const proto: beam.pipeline.ISchema = {
      options: [option],
      fields: [
        {
          name: "a",
          description: "what it is",
          options: [option],
          type: {
            logicalType: {
              urn: "my:type",
              representation: { atomicType: 7 },
              argumentType: { atomicType: 7 },
              argument: { atomicValue: { string: "x" } },
            },
          },
        },
      ],
    };
    const [found] = schemaToProto(schemaFrom(proto)).fields!;
    assert.equal(found.description, "what it is");
    assert.equal(found.options![0].value!.atomicValue!.string, "v");
    assert.equal(found.type!.logicalType!.argument!.atomicValue!.string, "x");
    assert.equal(schemaToProto(schemaFrom(proto)).options![0].name, "o");
  });

  it("refuse types that are missing, unknown or nested too deeply", () => {
    assert.throws(() => schemaFrom({ fields: [{ name: "a" }] }), /without a type that is known/);
    assert.throws(() => schemaFrom({ fields: [{ name: "a", type: { atomicType: 99 as never } }] }), /atomic type 99/);
    let type: beam.pipeline.IFieldType = { atomicType: 7 };
    for (let i = 0; i < 5000; i++) type = { arrayType: { elementType: type } };
    assert.throws(() => schemaFrom({ fields: [{ name: "a", type }] }), /nested more than 100 deep/);
    assert.throws(() => rowCoderFromPayload(fromHex("0a ff")), /not a Schema/);
  });

  it("refuse lengths that are none", () => {
    for (const length of [-1, 0.5, NaN, 2 ** 31]) assert.throws(() => schema.fixedBytes(length), /is not a length/);
  });

  it("describe the coder of a component", () => {
    const { payload } = coderOf(Everything);
    const coder = new CoderRegistry().fromProto("row", { row: { spec: { urn: "beam:coder:row:v1", payload } } });
    const value = { y: true };
    assert.deepEqual(decode(coderOf(schema.row({ y: schema.boolean })), "01 00 01"), value);
    assert.equal(coder.urn, "beam:coder:row:v1");
    const wrapped = beam.pipeline.SchemaCoderPayload.encode({ schema: schemaToProto(schema.row({ y: schema.boolean })) }).finish();
    const conversion = new CoderRegistry().fromProto("s", { s: { spec: { urn: "beam:coder:schema:v1", payload: wrapped } } });
    assertCoding(conversion, value, "01 00 01");
  });
});

function plain(proto: beam.pipeline.ISchema): unknown {
  return beam.pipeline.Schema.toObject(beam.pipeline.Schema.decode(beam.pipeline.Schema.encode(proto).finish()));
}
