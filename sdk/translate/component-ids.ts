// Ids of shared components: equal coders and windowing strategies are written once.
import type { Coder } from "../../portability/coders/index.js";
import Long from "long";
import { beam } from "../../portability/protos/index.js";
import type { WindowingStrategy } from "../model/windowing.js";
import { triggerToProto } from "../../portability/payloads/triggers.js";
import type { WindowFn } from "../../portability/windows/index.js";

export class CoderIds {
  readonly coders: Record<string, beam.pipeline.ICoder> = {};
  private readonly byShape = new Map<string, string>();

  idOf(coder: Coder<unknown>): string {
    const componentCoderIds = coder.components.map((component) => this.idOf(component));
    const payload = coder.payload ?? new Uint8Array();
    const shape = `${coder.urn}(${componentCoderIds.join(",")})${Buffer.from(payload).toString("base64")}`;
    let id = this.byShape.get(shape);
    if (id === undefined) {
      id = `c${this.byShape.size + 1} ${coder.urn.split(":")[2] ?? coder.urn}`.replace(" ", "_");
      this.byShape.set(shape, id);
      this.coders[id] = { spec: { urn: coder.urn, payload }, componentCoderIds };
    }
    return id;
  }
}

const { Enum: ClosingBehavior } = beam.pipeline.ClosingBehavior;
const { Enum: OnTimeBehavior } = beam.pipeline.OnTimeBehavior;
const ACCUMULATION_MODE = {
  discarding: beam.pipeline.AccumulationMode.Enum.DISCARDING,
  accumulating: beam.pipeline.AccumulationMode.Enum.ACCUMULATING,
} as const;
const OUTPUT_TIME = {
  "end-of-window": beam.pipeline.OutputTime.Enum.END_OF_WINDOW,
  earliest: beam.pipeline.OutputTime.Enum.EARLIEST_IN_PANE,
  latest: beam.pipeline.OutputTime.Enum.LATEST_IN_PANE,
} as const;

export class WindowingIds {
  readonly strategies: Record<string, beam.pipeline.IWindowingStrategy> = {};
  private readonly byShape = new Map<string, string>();

  constructor(
    private readonly windowCoderId: (windowFn: WindowFn<never>) => string,
    private readonly toProto: (windowFn: WindowFn<never>) => beam.pipeline.IFunctionSpec,
    private readonly environmentId: string,
  ) {}

  idOf(windowing: WindowingStrategy): string {
    const windowFn = this.toProto(windowing.windowFn);
    const shape = JSON.stringify([
      windowFn.urn,
      Buffer.from(windowFn.payload ?? []).toString("base64"),
      windowing.timestampCombiner,
      windowing.allowedLatenessMs,
      windowing.alreadyMerged === true,
      windowing.trigger,
      windowing.panes,
      windowing.emptyOnTimePane,
      windowing.emptyFinalPane,
    ]);
    let id = this.byShape.get(shape);
    if (id === undefined) {
      id = `w${this.byShape.size + 1}`;
      this.byShape.set(shape, id);
      this.strategies[id] = {
        windowFn,
        mergeStatus: mergeStatusOf(windowing),
        windowCoderId: this.windowCoderId(windowing.windowFn),
        trigger: triggerToProto(windowing.trigger),
        accumulationMode: ACCUMULATION_MODE[windowing.panes],
        outputTime: OUTPUT_TIME[windowing.timestampCombiner],
        closingBehavior: windowing.emptyFinalPane ? ClosingBehavior.EMIT_ALWAYS : ClosingBehavior.EMIT_IF_NONEMPTY,
        onTimeBehavior: windowing.emptyOnTimePane ? OnTimeBehavior.FIRE_ALWAYS : OnTimeBehavior.FIRE_IF_NONEMPTY,
        allowedLateness: Long.fromNumber(windowing.allowedLatenessMs),
        environmentId: this.environmentId,
      };
    }
    return id;
  }
}

function mergeStatusOf({ windowFn, alreadyMerged }: WindowingStrategy): beam.pipeline.MergeStatus.Enum {
  if (!windowFn.merging) return beam.pipeline.MergeStatus.Enum.NON_MERGING;
  return alreadyMerged === true ? beam.pipeline.MergeStatus.Enum.ALREADY_MERGED : beam.pipeline.MergeStatus.Enum.NEEDS_MERGE;
}
