// What a pipeline author imports: the pipeline, its transforms, and the values they speak of.
export { CoderError, coderOf } from "../portability/coders/index.js";
export type { Distribution, Gauge, MetricType, MetricValues, TrieNode } from "../portability/metrics/index.js";
export { schema, type Decimal, type RowSchema, type Schema, type SchemaType } from "../portability/schemas/index.js";
export { CancelledError, PermanentError, PipelineError, UserCodeError, type RunCheckpoints } from "../portability/stage-host/index.js";
export {
  formatTimestamp,
  GlobalWindow,
  IntervalWindow,
  kv,
  MAX_TIMESTAMP,
  MIN_TIMESTAMP,
  PaneTiming,
  type KV,
  type PaneInfo,
  type Timestamp,
  type Window,
} from "../portability/values/index.js";
export type { Coder } from "../portability/coders/index.js";
export type { DelayStep, Trigger, WindowFn, WindowMerge } from "../portability/windows/index.js";
export type { AsyncCombineFn, CombineFn } from "./model/combine-fn.js";
export type {
  AsyncOptions,
  ElementContext,
  Emit,
  EmitAt,
  EndFunction,
  FunctionContext,
  FunctionOptions,
  ManyOutputs,
  SetupContext,
} from "./model/do-fn.js";
export { option, type Option, type Options, type OptionValues } from "./model/options.js";
export { PCollection } from "./model/pcollection.js";
export type { WindowFnSpec } from "./model/own-window-fn.js";
export { Pipeline } from "./model/pipeline.js";
export { pipeline, PipelineDefinition } from "./model/pipeline-definition.js";
export { composite, type Appliable, type PTransform } from "./model/ptransform.js";
export {
  run,
  type ComponentMetrics,
  type Run,
  type RunMessage,
  type RunMetrics,
  type Runner,
  type RunState,
  type TransformMetrics,
} from "./model/runner.js";
export * from "./state/index.js";
export type { FiringTimer, StateHandles, StateSpec, StateSpecs, TimerHandles, TimerSpec, TimerSpecs } from "./model/state-spec.js";
export type { RestrictionProgress, RestrictionTracker, Split, WatermarkEstimation, WatermarkEstimator } from "./model/restriction.js";
export type { SideInput, SideInputs, SideInputViews } from "./model/side-input.js";
export { UserMetrics, type MetricFilter, type UserMetric } from "./model/user-metrics.js";
export * from "./metrics/index.js";
export type { EmitFromReader, Reader, ReaderContext, ReadResult, SourceSpec, WatermarkPolicy } from "./model/source.js";
export type { TimestampCombiner, WindowingStrategy } from "./model/windowing.js";
export * from "./transforms/index.js";
export * from "./compositions/index.js";
export * as avro from "./io/avro/index.js";
export * as csv from "./io/csv/index.js";
export * as rows from "./rows/index.js";
export * as files from "./io/files/index.js";
export * as jsonLines from "./io/json-lines/index.js";
export * as net from "./io/net/index.js";
export * as parquet from "./io/parquet/index.js";
export * as postgresIO from "./io/postgres/index.js";
export * from "./io/sinks/index.js";
export * as textIO from "./io/text/index.js";
