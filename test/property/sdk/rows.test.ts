// Grouping and joining rows gives what loops over arrays do.
import assert from "node:assert/strict";
import fc from "fast-check";
import { create, rows, schema } from "../../../sdk/index.js";
import { outputOf } from "../../support/output-of.js";

const Left = schema.row({ a: schema.nullable(schema.string), b: schema.int32, n: schema.nullable(schema.int64), x: schema.double });
const Right = schema.row({ a: schema.nullable(schema.string), c: schema.int32, y: schema.string });
const a = fc.option(fc.constantFrom("p", "q", ""));
const lefts = fc.array(
  fc.record({ a, b: fc.integer({ min: 0, max: 2 }), n: fc.option(fc.bigInt({ min: -9n, max: 9n })), x: fc.integer({ min: -5, max: 5 }) }),
  { maxLength: 20 },
);
const rights = fc.array(fc.record({ a, c: fc.integer({ min: 0, max: 2 }), y: fc.string({ maxLength: 2 }) }), { maxLength: 12 });

const text = (value: unknown): string => JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? `${each}n` : each));
const sorted = (values: readonly unknown[]): string[] => values.map(text).sort();

describe("rows", () => {
  it("are grouped as a loop would", async () => {
    await fc.assert(
      fc.asyncProperty(lefts, async (given) => {
        const groups = new Map<string, typeof given>();
        for (const row of given) {
          const key = text([row.a, row.b]);
          groups.set(key, [...(groups.get(key) ?? []), row]);
        }
        const expected = [...groups.values()].map((group) => {
          const values = group.map(({ n }) => n).filter((n) => n !== null);
          const [first, ...rest] = values;
          return {
            a: group[0].a,
            b: group[0].b,
            rows: BigInt(group.length),
            values: BigInt(values.length),
            sum: values.length === 0 ? null : values.reduce((l, r) => l + r),
            least: values.length === 0 ? null : rest.reduce((l, r) => (r < l ? r : l), first),
            greatest: Math.max(...group.map(({ x }) => x)),
            mean: group.reduce((total, { x }) => total + x, 0) / group.length,
          };
        });
        const found = await outputOf((p) =>
          p
            .apply(create(given))
            .apply(rows.as(Left))
            .apply(
              rows.groupBy(["a", "b"], {
                rows: rows.count(),
                values: rows.count("n"),
                sum: rows.sum("n"),
                least: rows.min("n"),
                greatest: rows.max("x"),
                mean: rows.mean("x"),
              }),
            ),
        );
        assert.deepEqual(sorted(found), sorted(expected));
      }),
      { numRuns: 40 },
    );
  });

  for (const type of ["inner", "left", "right", "full"] as const)
    it(`are joined as nested loops would: ${type}`, async () => {
      await fc.assert(
        fc.asyncProperty(lefts, rights, async (left, right) => {
          const matches = (l: (typeof left)[number], r: (typeof right)[number]): boolean => l.a !== null && l.a === r.a && l.b === r.c;
          const expected: unknown[] = [];
          for (const l of left) {
            const matching = right.filter((r) => matches(l, r));
            for (const { y } of matching) expected.push({ ...l, y });
            if (matching.length === 0 && (type === "left" || type === "full")) expected.push({ ...l, y: null });
          }
          if (type === "right" || type === "full")
            for (const r of right) if (!left.some((l) => matches(l, r))) expected.push({ a: r.a, b: r.c, n: null, x: null, y: r.y });
          const found = await outputOf<unknown>((p) =>
            p
              .apply(create("left", left))
              .apply(rows.as(Left))
              .apply(rows.join(p.apply(create("right", right)).apply(rows.as(Right)), { a: "a", b: "c" }, type)),
          );
          assert.deepEqual(sorted(found), sorted(expected));
        }),
        { numRuns: 30 },
      );
    });
});
