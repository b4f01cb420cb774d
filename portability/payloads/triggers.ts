import Long from "long";
import type { beam } from "../protos/index.js";
import { PipelineError } from "../stage-host/index.js";
import { DEFAULT_TRIGGER, type DelayStep, type Trigger } from "../windows/index.js";

/** The trigger as Beam's message. */
export function triggerToProto(trigger: Trigger): beam.pipeline.ITrigger {
  switch (trigger.kind) {
    case "default":
      return { default: {} };
    case "always":
      return { always: {} };
    case "never":
      return { never: {} };
    case "after-end-of-window":
      return {
        afterEndOfWindow: {
          earlyFirings: trigger.early === undefined ? undefined : triggerToProto(trigger.early),
          lateFirings: trigger.late === undefined ? undefined : triggerToProto(trigger.late),
        },
      };
    case "after-processing-time":
      return { afterProcessingTime: { timestampTransforms: trigger.steps.map(stepToProto) } };
    case "after-synchronized-processing-time":
      return { afterSynchronizedProcessingTime: {} };
    case "element-count":
      return { elementCount: { elementCount: trigger.count } };
    case "repeat":
      return { repeat: { subtrigger: triggerToProto(trigger.of) } };
    case "after-all":
      return { afterAll: { subtriggers: trigger.of.map(triggerToProto) } };
    case "after-any":
      return { afterAny: { subtriggers: trigger.of.map(triggerToProto) } };
    case "after-each":
      return { afterEach: { subtriggers: trigger.of.map(triggerToProto) } };
    case "or-finally":
      return { orFinally: { main: triggerToProto(trigger.main), finally: triggerToProto(trigger.until) } };
  }
}

/** @throws PipelineError for a kind of trigger that is not known, or one without its parts. */
export function triggerFromProto(proto: beam.pipeline.ITrigger | null | undefined): Trigger {
  if (!proto || proto.default) return DEFAULT_TRIGGER;
  if (proto.always) return { kind: "always" };
  if (proto.never) return { kind: "never" };
  if (proto.afterSynchronizedProcessingTime) return { kind: "after-synchronized-processing-time" };
  if (proto.elementCount) return { kind: "element-count", count: Math.max(1, proto.elementCount.elementCount ?? 1) };
  if (proto.afterProcessingTime)
    return { kind: "after-processing-time", steps: (proto.afterProcessingTime.timestampTransforms ?? []).map(stepFromProto) };
  if (proto.afterEndOfWindow) {
    const { earlyFirings, lateFirings } = proto.afterEndOfWindow;
    return {
      kind: "after-end-of-window",
      ...(earlyFirings ? { early: triggerFromProto(earlyFirings) } : {}),
      ...(lateFirings ? { late: triggerFromProto(lateFirings) } : {}),
    };
  }
  if (proto.repeat) return { kind: "repeat", of: partOf(proto.repeat.subtrigger, "repeat") };
  if (proto.afterAll) return { kind: "after-all", of: partsOf(proto.afterAll.subtriggers, "after_all") };
  if (proto.afterAny) return { kind: "after-any", of: partsOf(proto.afterAny.subtriggers, "after_any") };
  if (proto.afterEach) return { kind: "after-each", of: partsOf(proto.afterEach.subtriggers, "after_each") };
  if (proto.orFinally)
    return { kind: "or-finally", main: partOf(proto.orFinally.main, "or_finally"), until: partOf(proto.orFinally.finally, "or_finally") };
  throw new PipelineError("unknown_trigger", "a trigger of a kind that is not known");
}

function partOf(proto: beam.pipeline.ITrigger | null | undefined, kind: string): Trigger {
  if (!proto) throw new PipelineError("malformed_trigger", `the trigger "${kind}" lacks what it is made of`);
  return triggerFromProto(proto);
}

function partsOf(protos: readonly beam.pipeline.ITrigger[] | null | undefined, kind: string): readonly Trigger[] {
  if (!protos?.length) throw new PipelineError("malformed_trigger", `the trigger "${kind}" lacks what it is made of`);
  return protos.map(triggerFromProto);
}

function stepToProto(step: DelayStep): beam.pipeline.ITimestampTransform {
  if ("delayMs" in step) return { delay: { delayMillis: Long.fromNumber(step.delayMs) } };
  return { alignTo: { period: Long.fromNumber(step.alignToMs), offset: Long.fromNumber(step.offsetMs) } };
}

function stepFromProto({ delay, alignTo }: beam.pipeline.ITimestampTransform): DelayStep {
  if (alignTo) return { alignToMs: Math.max(1, Number(alignTo.period ?? 1)), offsetMs: Number(alignTo.offset ?? 0) };
  return { delayMs: Number(delay?.delayMillis ?? 0) };
}
