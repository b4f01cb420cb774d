import assert from "node:assert/strict";
import * as v from "valibot";
import { z } from "zod";
import { create, pipeline, rows, schema, UserCodeError, type Appliable, type PCollection, type Pipeline } from "../../../../sdk/index.js";
import { outputOf } from "../../../support/output-of.js";

const Order = schema.row({
  id: schema.string,
  customer: schema.nullable(schema.string),
  amount: schema.double,
  items: schema.nullable(schema.int64),
  tags: schema.array(schema.string),
});
const orders = [
  { id: "a", customer: "ada", amount: 1.5, items: 2n, tags: ["x"] },
  { id: "b", customer: null, amount: 2, items: null, tags: [] },
  { id: "c", customer: "ada", amount: 4, items: 3n, tags: ["y", "z"] },
];
const Customer = schema.row({ key: schema.nullable(schema.string), name: schema.string });
const customers = [
  { key: "ada", name: "Ada" },
  { key: "bob", name: "Bob" },
  { key: null, name: "Nobody" },
];

const all = (p: Pipeline) => p.apply(create(orders)).apply(rows.as(Order));
const allCustomers = (p: Pipeline) => p.apply(create("customers", customers)).apply(rows.as(Customer));
const refused = (build: (p: Pipeline) => unknown, message: RegExp): void => {
  assert.throws(() => pipeline((p) => void build(p)).build(), message);
};
const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

describe("rows", () => {
  it("know their schema from transform to transform", () => {
    pipeline((p) => {
      const kept = all(p)
        .apply(rows.drop("tags", "items"))
        .apply(rows.rename({ id: "order" }));
      assert.deepEqual(
        rows.schemaOf(kept).shape.fields.map(({ name, type }) => [name, type.shape.kind, type.nullable]),
        [
          ["order", "string", false],
          ["customer", "string", true],
          ["amount", "double", false],
        ],
      );
      const grouped = kept.apply(rows.groupBy(["customer"], { n: rows.count(), total: rows.sum("amount") }));
      assert.deepEqual(
        rows.schemaOf(grouped).shape.fields.map(({ name, type }) => [name, type.shape.kind, type.nullable]),
        [
          ["customer", "string", true],
          ["n", "int64", false],
          ["total", "double", false],
        ],
      );
    }).build();
  });

  it("can have fields with any name", async () => {
    const Odd = schema.row({ 'a"b\\\n': schema.string, "`${1}`": schema.int32, "\u2028": schema.int32 });
    const odd = { 'a"b\\\n': "x", "`${1}`": 1, "\u2028": 2 };
    const found = await outputOf((p) =>
      p
        .apply(create([odd]))
        .apply(rows.as(Odd))
        .apply(rows.select("\u2028", "`${1}`", 'a"b\\\n')),
    );
    assert.deepEqual(found, [odd]);
    assert.deepEqual(Object.keys(found[0]), ["\u2028", "`${1}`", 'a"b\\\n']);
  });

  context("when the schema is not there, or has no such field", () => {
    it("say so while the pipeline is built", () => {
      refused((p) => p.apply(create(orders)).apply(rows.select("id")), /"rows.select" needs rows of a schema, .* apply rows\.as\(schema\)/);
      const name = "nothing" as "id";
      refused((p) => all(p).apply(rows.select(name)), /"rows.select": there is no field "nothing"; there are id, customer, amount/);
      refused((p) => all(p).apply(rows.drop(name)), /there is no field "nothing"/);
      refused((p) => all(p).apply(rows.rename({ [name]: "x" })), /there is no field "nothing"/);
      refused((p) => all(p).apply(rows.rename({ id: "amount" })), /two fields are called "amount"; give one another name/);
      refused((p) => all(p).apply(rows.add("id", schema.string, () => "")), /two fields are called "id"/);
      refused((p) => all(p).apply(rows.groupBy([name], { n: rows.count() })), /there is no field "nothing"/);
      refused((p) => all(p).apply(rows.groupBy(["id"], { n: rows.count("nothing" as "id") })), /there is no field "nothing"/);
      refused((p) => all(p).apply(rows.groupBy(["id"], { id: rows.count() })), /two fields are called "id"/);
    });

    it("refuse to group by floating point", () => {
      refused((p) => all(p).apply(rows.groupBy(["amount"], { n: rows.count() })), /coder beam:coder:double:v1 is not deterministic/);
    });
  });

  context("when elements are checked", () => {
    it("name every field that does not fit", async () => {
      const wrong = [{ id: 1, customer: "ada", amount: "much", items: 2 ** 40, tags: ["x", 5] }];
      await assert.rejects(
        outputOf((p) => p.apply(create(wrong)).apply(rows.as(Order))),
        (error: unknown) => {
          assert.ok(error instanceof UserCodeError);
          assert.match(error.message, /id: expected a text, got 1; amount: expected a number, got "much"; items: expected a bigint/);
          assert.match(error.message, /tags\.1: expected a text, got 5/);
          return true;
        },
      );
    });
  });

  context("when they are grouped", () => {
    it("take null for a group of its own, and for no value", async () => {
      const found = await outputOf((p) =>
        all(p).apply(
          rows.groupBy(["customer"], { n: rows.count(), items: rows.count("items"), sum: rows.sum("items"), least: rows.min("items") }),
        ),
      );
      assert.deepEqual(
        found.sort((a, b) => Number(b.n - a.n)),
        [
          { customer: "ada", n: 2n, items: 2n, sum: 5n, least: 2n },
          { customer: null, n: 1n, items: 0n, sum: null, least: null },
        ],
      );
    });

    it("refuse a sum beyond 64 bits", async () => {
      const Big = schema.row({ n: schema.int64 });
      const big = { n: 2n ** 62n };
      const sum = outputOf((p) =>
        p
          .apply(create([big, big]))
          .apply(rows.as(Big))
          .apply(rows.aggregate({ sum: rows.sum("n") })),
      );
      await assert.rejects(sum, /the sum 9223372036854775808 is more than an int64 holds/);
    });
  });

  context("when they are joined", () => {
    const joined = async (type: rows.JoinType) =>
      (
        await outputOf((p) =>
          all(p)
            .apply(rows.select("id", "customer"))
            .apply(rows.join(allCustomers(p), { customer: "key" }, type)),
        )
      ).sort(byText);
    const a = { id: "a", customer: "ada", name: "Ada" };
    const c = { id: "c", customer: "ada", name: "Ada" };
    const b = { id: "b", customer: null, name: null };
    const bob = { id: null, customer: "bob", name: "Bob" };
    const nobody = { id: null, customer: null, name: "Nobody" };
    for (const [type, expected] of [
      ["inner", [a, c]],
      ["left", [a, b, c]],
      ["right", [a, c, bob, nobody]],
      ["full", [a, b, c, bob, nobody]],
    ] as const)
      it(`keep what the type "${type}" says, and never match null`, async () => {
        assert.deepEqual(await joined(type), [...expected].sort(byText));
      });

    it("refuse fields of different types, and names of both sides", () => {
      const Other = schema.row({ id: schema.int64, amount: schema.double });
      const other = (p: Pipeline) => p.apply(create("other", [{ id: 1n, amount: 1 }])).apply(rows.as(Other));
      refused(
        (p) =>
          all(p)
            .apply(rows.select("id"))
            .apply(rows.join(other(p), ["id"])),
        /joins "id", which is string, with "id", which is int64/,
      );
      const untyped = rows.join as unknown as (...args: unknown[]) => Appliable<PCollection<unknown>, unknown>;
      refused(
        (p) =>
          all(p).apply(
            untyped(
              other(p)
                .apply(rows.rename({ id: "key" }))
                .apply(rows.add("id", schema.string, () => "")),
              ["id"],
            ),
          ),
        /two fields are called "amount"; give one another name by rows\.rename/,
      );
    });
  });

  context("with validators of other libraries", () => {
    const values = [{ user: "ada", seconds: 3 }, { user: "bob" }, { user: 7, seconds: "x" }];
    const Zod = z.object({ user: z.string(), seconds: z.number() });
    const asynchronous = v.pipeAsync(
      v.object({ user: v.string() }),
      v.checkAsync(async ({ user }) => user !== "bob", "bob is not welcome"),
    );

    it("fail with what is wrong, and where", async () => {
      await assert.rejects(
        outputOf((p) => p.apply(create(values.slice(2))).apply(rows.validate(Zod))),
        /is not valid: user: Invalid input: expected string, received number; seconds: Invalid input/,
      );
    });

    it("keep what is invalid, when told to", async () => {
      const found = await outputOf((p) => p.apply(create<unknown>(values)).apply(rows.validate(asynchronous, { invalid: "keep" })).invalid);
      assert.deepEqual(found.map(({ issues }) => issues.join()).sort(), [
        "bob is not welcome",
        "user: Invalid type: Expected string but received 7",
      ]);
      assert.deepEqual(await outputOf((p) => p.apply(create<unknown>(values)).apply(rows.validate(Zod, { invalid: "keep" })).valid), [
        values[0],
      ]);
    });

    it("make schemas of them", () => {
      const all = rows.schemaFrom(
        z.object({
          text: z.string(),
          number: z.number(),
          small: z.int32(),
          whole: z.int(),
          truth: z.boolean().nullable(),
          list: z.array(z.object({ choice: z.enum(["a", "b"]) })),
          maybe: z.string().optional(),
          one: z.literal("one"),
        }),
      );
      assert.deepEqual(
        all.shape.fields.map(({ name, type }) => `${name} ${type.shape.kind}${type.nullable ? "?" : ""}`),
        ["text string", "number double", "small int32", "whole double", "truth boolean?", "list array", "maybe string?", "one string"],
      );
    });

    it("refuse to make a schema of what rows cannot be", () => {
      assert.throws(() => rows.schemaFrom(z.object({ a: z.union([z.string(), z.number()]) })), /field "a": it may be of several types/);
      assert.throws(() => rows.schemaFrom(z.object({ a: z.array(z.unknown()) })), /field "a\.\[\]": its type is not told/);
      assert.throws(() => rows.schemaFrom(z.object({ a: z.bigint() })), /the validator has no schema of rows/);
      assert.throws(() => rows.schemaFrom(z.string()), /it is for string and not for an object/);
      const silent = v.object({ a: v.string() }) as unknown as Parameters<typeof rows.schemaFrom>[0];
      assert.throws(() => rows.schemaFrom(silent), /a validator of "valibot" does not tell its JSON schema/);
    });

    it("give a validator of a schema", async () => {
      const { validate } = rows.toStandard(Order)["~standard"];
      assert.deepEqual(await validate(orders[0]), { value: orders[0] });
      assert.deepEqual(await validate({ ...orders[0], tags: [1] }), { issues: [{ path: ["tags", 0], message: "expected a text, got 1" }] });
      assert.deepEqual(await validate(null), { issues: [{ path: [], message: "expected a row, got null" }] });
      const cyclic: Record<string, unknown> = {};
      cyclic["tags"] = cyclic;
      assert.equal((await validate(cyclic)).issues?.length, 5);
    });
  });
});
