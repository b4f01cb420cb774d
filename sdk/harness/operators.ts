// Which operator executes a transform, by its URN.
import type { Coder } from "../../portability/coders/index.js";
import { beam } from "../../portability/protos/index.js";
import { PipelineError, type StageDescriptor } from "../../portability/stage-host/index.js";
import { COMBINE_COMPONENT, PRIMITIVE } from "../../portability/urns/index.js";
import { ElementMeta, type Receiver } from "../../portability/values/index.js";
import { windowFnFromProto } from "../translate/window-fns.js";
import { readFunctionPayload } from "../translate/function-payload.js";
import {
  combineGroupedValuesOperator,
  convertToAccumulatorsOperator,
  extractOutputsOperator,
  mergeAccumulatorsOperator,
  precombineOperator,
  type PreferTimestamp,
} from "./combine-operators.js";
import { functionOperator } from "./function-operators.js";
import type { Operator, OperatorScope } from "./operator.js";
import { parDoOperator } from "./par-do-operator.js";
import type { Program } from "./program.js";

export function createOperator(
  transform: beam.pipeline.IPTransform,
  outputs: ReadonlyMap<string, Receiver>,
  program: Program,
  coderOf: (coderId: string) => Coder<unknown>,
  descriptor: StageDescriptor,
  scope: OperatorScope,
): Operator {
  const payload = transform.spec?.payload ?? new Uint8Array();
  const next = (): Receiver => outputs.values().next().value ?? (() => undefined);
  const combineFn = () => {
    const { combineFn: spec } = beam.pipeline.CombinePayload.decode(payload);
    return program.primitive(readFunctionPayload(spec?.payload).transform, "combine-per-key").combineFn;
  };
  switch (transform.spec?.urn) {
    case PRIMITIVE.PAR_DO: {
      const { doFn: spec } = beam.pipeline.ParDoPayload.decode(payload);
      const { doFn } = program.primitive(readFunctionPayload(spec?.payload).transform, "par-do");
      return doFn.kind === "par-do" ? parDoOperator(doFn, outputs, scope) : functionOperator(doFn, next(), scope);
    }
    case PRIMITIVE.ASSIGN_WINDOWS: {
      const { windowFn: spec } = beam.pipeline.WindowIntoPayload.decode(payload);
      return windowOperator(spec, next());
    }
    case PRIMITIVE.FLATTEN:
      return { receive: next() };
    case COMBINE_COMPONENT.COMBINE_PER_KEY_PRECOMBINE:
      return precombineOperator(
        combineFn(),
        keyCoderOf(transform, descriptor, coderOf),
        next(),
        scope,
        undefined,
        preferredTimestamp(transform, descriptor),
      );
    case COMBINE_COMPONENT.COMBINE_PER_KEY_MERGE_ACCUMULATORS:
      return mergeAccumulatorsOperator(combineFn(), next(), scope);
    case COMBINE_COMPONENT.COMBINE_PER_KEY_EXTRACT_OUTPUTS:
      return extractOutputsOperator(combineFn(), next(), scope);
    case COMBINE_COMPONENT.COMBINE_PER_KEY_CONVERT_TO_ACCUMULATORS:
      return convertToAccumulatorsOperator(combineFn(), next(), scope);
    case COMBINE_COMPONENT.COMBINE_GROUPED_VALUES:
      return combineGroupedValuesOperator(combineFn(), next(), scope);
    default:
      throw new PipelineError(
        "unknown_transform",
        `transform "${scope.name}" has URN ${transform.spec?.urn ?? "(none)"}, which the TypeScript harness cannot execute`,
      );
  }
}

function windowOperator(spec: beam.pipeline.IFunctionSpec | null | undefined, next: Receiver): Operator {
  const windowFn = windowFnFromProto(spec);
  return { receive: (value, meta) => next(value, new ElementMeta(meta.timestamp, windowFn.assign(meta.timestamp), meta.pane)) };
}

/** The timestamp that a group is to have must survive the combining before it; the end of the window needs no help. */
function preferredTimestamp(transform: beam.pipeline.IPTransform, { components }: StageDescriptor): PreferTimestamp | undefined {
  const input = Object.values(transform.inputs ?? {})[0];
  const strategy = components.windowingStrategies?.[components.pcollections?.[input]?.windowingStrategyId ?? ""];
  switch (strategy?.outputTime) {
    case beam.pipeline.OutputTime.Enum.EARLIEST_IN_PANE:
      return (candidate, current) => candidate < current;
    case beam.pipeline.OutputTime.Enum.LATEST_IN_PANE:
      return (candidate, current) => candidate > current;
    default:
      return undefined;
  }
}

function keyCoderOf(
  transform: beam.pipeline.IPTransform,
  descriptor: StageDescriptor,
  coderOf: (coderId: string) => Coder<unknown>,
): Coder<unknown> {
  const input = Object.values(transform.inputs ?? {})[0];
  const coder = coderOf(descriptor.components.pcollections?.[input]?.coderId ?? "");
  return coder.components[0];
}
