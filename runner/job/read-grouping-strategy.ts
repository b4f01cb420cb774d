import { beam } from "../../portability/protos/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import { SESSION_WINDOW_FN } from "../../portability/urns/index.js";
import type { Head, Topology } from "../topology/index.js";
import type { GroupingStrategy, TimestampCombiner } from "../windows/index.js";

type GroupingHead = Extract<Head, { kind: "group-by-key" }>;

/**
 * The windowing strategy of a grouping, in the runner's own terms.
 *
 * @throws PipelineError naming the transform, for windows other than sessions that merge, and for triggers other than the default one.
 */
export function readGroupingStrategy(head: GroupingHead, components: beam.pipeline.IComponents): GroupingStrategy {
  const strategy = components.windowingStrategies?.[head.windowingStrategyId];
  if (strategy === undefined)
    throw new PipelineError("windowing_missing", `the pipeline has no windowing strategy "${head.windowingStrategyId}" (${where(head)})`);
  const merging = strategy.mergeStatus === beam.pipeline.MergeStatus.Enum.NEEDS_MERGE;
  if (merging && strategy.windowFn?.urn !== SESSION_WINDOW_FN.PROPERTIES)
    throw new PipelineError(
      "windows_merge",
      `windows of ${strategy.windowFn?.urn ?? "an unknown window function"} merge in a way that groupings do not know yet (${where(head)}); ` +
        "use sessions, or windows that do not merge",
    );
  const allowedLatenessMs = Number(strategy.allowedLateness ?? 0);
  checkTrigger(head, strategy.trigger, allowedLatenessMs);
  if (strategy.accumulationMode === beam.pipeline.AccumulationMode.Enum.RETRACTING)
    throw new PipelineError(
      "accumulation_unsupported",
      `retracting panes are not supported (${where(head)}); use discarding or accumulating`,
    );
  return {
    timestampCombiner: combinerOf(head, strategy.outputTime),
    allowedLatenessMs,
    accumulating: strategy.accumulationMode === beam.pipeline.AccumulationMode.Enum.ACCUMULATING,
    merging,
  };
}

/** Finds out before anything runs whether every grouping of a topology can. @throws PipelineError @internal */
export function checkGroupings(topology: Topology): void {
  for (const { head, stage } of topology.components) if (head.kind === "group-by-key") readGroupingStrategy(head, stage.components);
}

function checkTrigger(head: GroupingHead, trigger: beam.pipeline.ITrigger | null | undefined, allowedLatenessMs: number): void {
  if (!trigger || trigger.default) return;
  const end = trigger.afterEndOfWindow ?? trigger.repeat?.subtrigger?.afterEndOfWindow;
  const plain = end && !end.earlyFirings && !end.lateFirings;
  // Repeated, it is the default trigger; once only, it is the same as long as nothing can come late.
  if (plain && (trigger.repeat || allowedLatenessMs === 0)) return;
  const kind = Object.keys(trigger).find((name) => trigger[name as keyof typeof trigger] != null) ?? "unknown";
  throw new PipelineError(
    "trigger_unsupported",
    `trigger "${kind}" is not supported yet (${where(head)}); groupings fire once the watermark passes the end of the window`,
  );
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
