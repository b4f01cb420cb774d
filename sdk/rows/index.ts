// Transforms of rows: PCollections that know their schema, so that fields can be named, in the manner of SQL.
export {
  approximateUnique,
  combine,
  count,
  max,
  mean,
  min,
  sum,
  type Aggregate,
  type Aggregated,
  type AggregatesOf,
} from "./aggregates.js";
export { as } from "./check-rows.js";
export { aggregate, groupBy } from "./group-by.js";
export { join, type Joined, type JoinFields, type JoinType } from "./join.js";
export { add, drop, rename, select } from "./project.js";
export { schemaOf } from "./schema-of.js";
export { schemaFrom, toStandard, type RowOfOutput } from "./standard-schema.js";
export { validate, type Invalid, type Validated } from "./validate.js";
