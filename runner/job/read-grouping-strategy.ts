import { triggerFromProto } from "../../portability/payloads/triggers.js";
import { beam } from "../../portability/protos/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import { BEAMSTORM, SESSION_WINDOW_FN } from "../../portability/urns/index.js";
import { mergeOverlapping, type Trigger, type WindowFn } from "../../portability/windows/index.js";
import type { Head, Topology } from "../topology/index.js";
import type { GroupingStrategy, MergeWindows, TimestampCombiner } from "../windows/index.js";

/** What is grouped, and by what name errors speak of it. */
type GroupingHead = Pick<Extract<Head, { kind: "group-by-key" }>, "windowingStrategyId" | "transformName">;

/**
 * The windowing strategy of a grouping, in the runner's own terms.
 *
 * @param windowFn of the strategy, once it is known
 * @param merge how its windows merge, where that is not of the window function
 *
 * @throws PipelineError naming the transform, for windows other than sessions that merge, and for triggers that are not known.
 */
export function readGroupingStrategy(
  head: GroupingHead,
  components: beam.pipeline.IComponents,
  windowFn?: WindowFn,
  merge?: MergeWindows,
): GroupingStrategy {
  const strategy = components.windowingStrategies?.[head.windowingStrategyId];
  if (strategy === undefined)
    throw new PipelineError("windowing_missing", `the pipeline has no windowing strategy "${head.windowingStrategyId}" (${where(head)})`);
  const merging = strategy.mergeStatus === beam.pipeline.MergeStatus.Enum.NEEDS_MERGE;
  if (merging && merge === undefined && !mergesHere(strategy))
    throw new PipelineError(
      "windows_merge",
      `windows of ${strategy.windowFn?.urn ?? "an unknown window function"} merge in a way that groupings do not know yet (${where(head)}); ` +
        "use sessions, or windows that do not merge",
    );
  if (strategy.accumulationMode === beam.pipeline.AccumulationMode.Enum.RETRACTING)
    throw new PipelineError(
      "accumulation_unsupported",
      `retracting panes are not supported (${where(head)}); use discarding or accumulating`,
    );
  return {
    trigger: triggerOf(head, strategy.trigger),
    timestampCombiner: combinerOf(head, strategy.outputTime),
    allowedLatenessMs: Number(strategy.allowedLateness ?? 0),
    accumulating: strategy.accumulationMode === beam.pipeline.AccumulationMode.Enum.ACCUMULATING,
    emptyOnTimePane: strategy.onTimeBehavior !== beam.pipeline.OnTimeBehavior.Enum.FIRE_IF_NONEMPTY,
    emptyFinalPane: strategy.closingBehavior === beam.pipeline.ClosingBehavior.Enum.EMIT_ALWAYS,
    merge: merging ? (merge ?? mergeOf(windowFn)) : undefined,
    outputTime: windowFn?.outputTime?.bind(windowFn),
  };
}

/** Whether an environment is that of another SDK than the one of this process. */
export function isForeign({ environments }: beam.pipeline.IComponents, environmentId: string): boolean {
  const environment = environments?.[environmentId];
  return environment !== undefined && environment.urn !== BEAMSTORM.EMBEDDED_ENVIRONMENT;
}

/** Whether windows of the strategy merge, in a way that is neither Beam's nor one of this process. */
export function mergesElsewhere(strategy: beam.pipeline.IWindowingStrategy | undefined): boolean {
  return strategy?.mergeStatus === beam.pipeline.MergeStatus.Enum.NEEDS_MERGE && !mergesHere(strategy);
}

const mergesHere = ({ windowFn }: beam.pipeline.IWindowingStrategy): boolean =>
  windowFn?.urn === SESSION_WINDOW_FN.PROPERTIES || windowFn?.urn === BEAMSTORM.WINDOW_FN;

/** {@link mergeOverlapping} itself where it is that: groupings know how it merges. */
function mergeOf(windowFn: WindowFn | undefined): GroupingStrategy["merge"] {
  return windowFn?.merge === undefined || windowFn.merge === mergeOverlapping ? mergeOverlapping : windowFn.merge.bind(windowFn);
}

/** Finds out before anything runs whether every grouping of a topology can. @throws PipelineError @internal */
export function checkGroupings(topology: Topology): void {
  for (const { head, stage } of topology.components) {
    if (head.kind !== "group-by-key") continue;
    const strategy = stage.components.windowingStrategies?.[head.windowingStrategyId];
    const canAsk = isForeign(stage.components, strategy?.environmentId || stage.environmentId) && mergesElsewhere(strategy);
    readGroupingStrategy(head, stage.components, undefined, canAsk ? () => [] : undefined);
  }
}

function triggerOf(head: GroupingHead, trigger: beam.pipeline.ITrigger | null | undefined): Trigger {
  try {
    return triggerFromProto(trigger);
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    throw new PipelineError(error.code, `${error.message} (${where(head)})`);
  }
}

function combinerOf(head: GroupingHead, outputTime: beam.pipeline.OutputTime.Enum | null | undefined): TimestampCombiner {
  switch (outputTime ?? beam.pipeline.OutputTime.Enum.UNSPECIFIED) {
    case beam.pipeline.OutputTime.Enum.UNSPECIFIED:
    case beam.pipeline.OutputTime.Enum.END_OF_WINDOW:
      return "end-of-window";
    case beam.pipeline.OutputTime.Enum.EARLIEST_IN_PANE:
      return "earliest";
    case beam.pipeline.OutputTime.Enum.LATEST_IN_PANE:
      return "latest";
    default:
      throw new PipelineError("timestamp_combiner_unsupported", `timestamp combiner ${outputTime} is unknown (${where(head)})`);
  }
}

function where(head: GroupingHead): string {
  return `transform "${head.transformName}"`;
}
