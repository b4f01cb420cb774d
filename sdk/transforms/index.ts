// The transforms of the SDK, one family a file.
export * from "./aggregations.js";
export { combineGlobally, combinePerKey, type Combiner } from "./combine.js";
export { countFn, fromBinary, maxFn, meanFn, minFn, sumFn } from "./combine-fns.js";
export { create } from "./create.js";
export { filter, flatMap, keys, map, values, withKeys, withTimestamps } from "./elementwise.js";
export { flatten } from "./flatten.js";
export { groupByKey } from "./group-by-key.js";
export { impulse } from "./impulse.js";
export {
  of,
  output,
  parDo,
  type OutputSpec,
  type OutputSpecs,
  type ParDoSpec,
  type ProcessContext,
  type TaggedParDoSpec,
} from "./par-do.js";
export { reshuffle } from "./reshuffle.js";
export { days, fixed, global, hours, minutes, seconds, sessions, sliding, windowInto, type WindowOptions } from "./window-into.js";
export { asIterable, asList, asMap, asMultimap, asSingleton } from "./side-inputs.js";
export { withCoder } from "./with-coder.js";
