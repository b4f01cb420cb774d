// The transforms of the SDK, one family a file.
export * from "./aggregations.js";
export {
  approximateQuantilesFn,
  approximateQuantilesGlobally,
  approximateQuantilesPerKey,
  type QuantileOptions,
  type QuantileSketch,
} from "./approximate-quantiles.js";
export { approximateUniqueFn, approximateUniqueGlobally, approximateUniquePerKey, type UniqueOptions } from "./approximate-unique.js";
export { batchElements } from "./batch-elements.js";
export { coGroupByKey, type CoGroups } from "./co-group-by-key.js";
export { combineGlobally, combinePerKey, type CombineOptions, type Combiner } from "./combine.js";
export { countFn, fromBinary, maxFn, meanFn, minFn, sumFn } from "./combine-fns.js";
export { create } from "./create.js";
export { distinct } from "./distinct.js";
export { filter, flatMap, keys, kvSwap, map, values, withKeys, withTimestamps, type TimestampOptions } from "./elementwise.js";
export { flatten } from "./flatten.js";
export { groupByKey, type GroupByKeyOptions, type GroupsAndLate } from "./group-by-key.js";
export { impulse } from "./impulse.js";
export { joinByKey, type JoinByKeyOptions, type JoinedValues } from "./join-by-key.js";
export { fullJoin, innerJoin, leftJoin, rightJoin } from "./joins.js";
export { latestGlobally, latestPerKey } from "./latest.js";
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
export { offsetRange, offsetRangeTracker, type OffsetRange } from "./offset-range.js";
export { partition } from "./partition.js";
export { periodicImpulse, type PeriodicImpulseOptions } from "./periodic-impulse.js";
export { refreshed, type RefreshOptions } from "./refreshed.js";
export { regex } from "./regex.js";
export { reifyTimestamps, reifyTimestampsOfValues, reifyWindows, type Reified, type ReifiedWindow } from "./reify.js";
export { reshuffle } from "./reshuffle.js";
export { sampleAny, sampleFn, sampleGlobally, samplePerKey } from "./sample.js";
export { sequence, type SequenceOptions } from "./sequence.js";
export { exceptAll, exceptDistinct, intersectAll, intersectDistinct, unionAll, unionDistinct } from "./sets.js";
export {
  splittableParDo,
  type ClaimedRange,
  type EmittingSplittableParDoSpec,
  type SplittableContext,
  type SplittableParDoSpec,
  type TaggedSplittableParDoSpec,
} from "./splittable-par-do.js";
export { tee } from "./tee.js";
export { fromJson, toJson, toText } from "./texts.js";
export { smallestGlobally, smallestPerKey, topGlobally, topPerKey } from "./top.js";
export { naturalOrder, topFn, type Compare } from "./top-fn.js";
export { calendarDays, calendarMonths, calendarWeeks, calendarYears, type CalendarOptions } from "./calendar.js";
export {
  days,
  fixed,
  global,
  hours,
  minutes,
  seconds,
  sessions,
  sliding,
  windowFn,
  windowInto,
  type WindowOptions,
} from "./window-into.js";
export { asIterable, asList, asMap, asMultimap, asSingleton } from "./side-inputs.js";
export {
  afterAll,
  afterAny,
  afterCount,
  afterDelay,
  afterEach,
  afterEachElement,
  afterWatermark,
  never,
  orFinally,
  repeatedly,
} from "./triggers.js";
export { unboundedSource, type UnboundedSourceOptions } from "./unbounded-source.js";
export { manualWatermark, monotonicWatermark, wallTimeWatermark, type ManualWatermark } from "./watermark-estimators.js";
export { eventTime, ingestionTime, processingTime } from "./watermark-policies.js";
export { wait } from "./wait.js";
export { watch, type PollResult, type WatchOptions, type WatchTimes } from "./watch.js";
export { withCoder } from "./with-coder.js";
export { withFailures, type Failure, type FailureOptions } from "./with-failures.js";
export {
  statefulParDo,
  type ExpirationContext,
  type StatefulContext,
  type StatefulParDoSpec,
  type TaggedStatefulParDoSpec,
  type TimerContext,
} from "./stateful-par-do.js";
