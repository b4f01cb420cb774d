import { coderOf, type Coder } from "../../portability/coders/index.js";
import type { RowSchema, Schema } from "../../portability/schemas/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import type { KV } from "../../portability/values/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { coGroupByKey, pipelineOf } from "../transforms/co-group-by-key.js";
import { isEmpty } from "../transforms/joins.js";
import { elementwise } from "../transforms/par-do.js";
import { keyByFields } from "./row-keys.js";
import type { FieldOf, Flat, Nullable, Row } from "./row-types.js";
import { fieldOf, merging, nullable, schemaOfFields } from "./schema-of.js";

/** Which rows without a match are kept: none, those of the left side, of the right side, or of both. */
export type JoinType = "inner" | "left" | "right" | "full";

type Rest<U, R> = Omit<U, R & keyof U>;
type Sides<T, U, L, J extends JoinType> = J extends "inner"
  ? T & U
  : J extends "left"
    ? T & Nullable<U>
    : J extends "right"
      ? Pick<T, L & keyof T> & Nullable<Omit<T, L & keyof T>> & U
      : Pick<T, L & keyof T> & Nullable<Omit<T, L & keyof T>> & Nullable<U>;
/** A row of both sides: the fields of the left one, and those of the right one but its keys. */
export type Joined<T, U, L, R, J extends JoinType> = Flat<Sides<T, Rest<U, R>, L, J>>;

/** Fields that both sides have, besides those that they are joined by. */
type Clash<T, U, R> = Extract<keyof T, Exclude<keyof U, R>>;
/** No further argument, unless names clash: then one that nobody has, so that it does not compile. */
type NoClash<T, U, R> = [Clash<T, U, R>] extends [never] ? [] : [error: { "rename these fields of one side first": Clash<T, U, R> }];

/** By which fields rows are joined: names that both sides have, or the right side's name for each of the left side's. */
export type JoinFields<T, U> = readonly FieldOf<T & U>[] | Readonly<Partial<Record<FieldOf<T>, FieldOf<U>>>>;
type LeftKeys<On> = On extends readonly (infer K)[] ? K : keyof On;
type RightKeys<On> = On extends readonly (infer K)[] ? K : On[keyof On];

/**
 * Rows of two PCollections that agree in some fields, as one row each, per window: the fields of this side, then those of the other one but
 * its keys. As in SQL, null agrees with nothing.
 *
 * @throws PipelineError at construction for a field that is not there, types that differ, or a name that both sides have
 * @example
 * ```ts
 * orders.apply(rows.join(customers, { customer: "id" }, "left"));
 * ```
 */
export function join<T, U, const On extends JoinFields<T, U>, const J extends JoinType = "inner">(
  other: PCollection<U>,
  on: On,
  type?: J,
  ..._clash: NoClash<T, U, RightKeys<On>>
): PTransform<PCollection<T>, PCollection<Joined<T, U, LeftKeys<On>, RightKeys<On>, J>>> {
  type Out = Joined<T, U, LeftKeys<On>, RightKeys<On>, J>;
  return { defaultName: "rows.join", expand: (input) => joined<T, U>(input, other, pairsOf(on), type ?? "inner") as PCollection<Out> };
}

function pairsOf(on: readonly string[] | Readonly<Partial<Record<string, string>>>): readonly (readonly [left: string, right: string])[] {
  return Array.isArray(on) ? on.map((name: string) => [name, name]) : (Object.entries(on) as [string, string][]);
}

function joined<T, U>(
  input: PCollection<T>,
  other: PCollection<U>,
  on: readonly (readonly [left: string, right: string])[],
  type: JoinType,
): PCollection<unknown> {
  const reader = input.graph.currentName;
  if (on.length === 0) throw new PipelineError("no_join_fields", `transform "${reader}" joins by no field`);
  const left = keyByFields(
    input,
    on.map(([name]) => [name, name]),
    reader,
  );
  const right = keyByFields(other, on, reader, "other by fields");
  const plan = new JoinPlan(left.schema, right.schema, on, type, reader);
  return pipelineOf(input)
    .apply(coGroupByKey("meet", { left: left.keyed, right: right.keyed }))
    .apply(
      elementwise<unknown, unknown>(
        "pairs",
        "pairs",
        {
          kind: "flat-map",
          fn: ({ key, value }: KV<unknown, { left: Iterable<Row>; right: Iterable<Row> }>) =>
            plan.pairs(left.rowOf(key), value.left, value.right),
          concurrency: 1,
        },
        () => coderOf(plan.schema) as Coder<unknown>,
      ),
    );
}

/** How the rows of one key become rows of both sides. */
class JoinPlan {
  readonly schema: RowSchema<never>;
  private readonly merge: (left: Row, right: Row) => Row;
  private readonly noLeft: Row;
  private readonly noRight: Row;
  private readonly keepLeft: boolean;
  private readonly keepRight: boolean;

  constructor(
    left: RowSchema<unknown>,
    right: RowSchema<unknown>,
    on: readonly (readonly [left: string, right: string])[],
    type: JoinType,
    reader: string,
  ) {
    this.keepLeft = type === "left" || type === "full";
    this.keepRight = type === "right" || type === "full";
    const keys = new Map(on);
    const rightKeys = new Set(keys.values());
    const lefts = left.shape.fields.map(({ name, type: own }): readonly [string, Schema<unknown>] => {
      const rightName = keys.get(name);
      if (rightName === undefined) return [name, this.keepRight ? nullable(own) : own];
      const theirs = fieldOf(right, rightName, reader).type;
      if (kindOf(own) !== kindOf(theirs))
        throw new PipelineError(
          "different_types",
          `transform "${reader}" joins "${name}", which is ${kindOf(own)}, with "${rightName}", which is ${kindOf(theirs)}`,
        );
      return [name, theirs.nullable ? nullable(own) : own];
    });
    const rights = right.shape.fields
      .filter(({ name }) => !rightKeys.has(name))
      .map(({ name, type: own }) => [name, this.keepLeft ? nullable(own) : own] as const);
    this.schema = schemaOfFields([...lefts, ...rights], reader);
    this.merge = merging(
      lefts.map(([name]) => name),
      rights.map(([name]) => name),
    );
    this.noLeft = Object.fromEntries(lefts.map(([name]) => [name, null]));
    this.noRight = Object.fromEntries(rights.map(([name]) => [name, null]));
  }

  *pairs(key: Row, lefts: Iterable<Row>, rights: Iterable<Row>): Generator<Row> {
    const noLeft = [{ ...this.noLeft, ...key }];
    if (Object.values(key).includes(null)) {
      // Null agrees with nothing, not even with null.
      if (this.keepLeft) for (const left of lefts) yield this.merge(left, this.noRight);
      if (this.keepRight) for (const right of rights) yield this.merge(noLeft[0], right);
      return;
    }
    const allLefts: Iterable<Row> = this.keepRight && isEmpty(lefts) ? noLeft : lefts;
    const allRights: Iterable<Row> = this.keepLeft && isEmpty(rights) ? [this.noRight] : rights;
    for (const left of allLefts) for (const right of allRights) yield this.merge(left, right);
  }
}

const kindOf = ({ shape }: Schema<unknown>): string => (shape.kind === "logical" ? shape.urn : shape.kind);
