// Which operator executes a transform, by its URN.
import type { Coder } from "../../portability/coders/index.js";
import { beam } from "../../portability/protos/index.js";
import { PipelineError, type StageDescriptor } from "../../portability/stage-host/index.js";
import { ElementMeta, type Receiver } from "../../portability/values/index.js";
import { windowFnFromProto } from "../translate/window-fns.js";
import { readFunctionPayload } from "../translate/function-payload.js";
import {
  combineGroupedValuesOperator,
  convertToAccumulatorsOperator,
  extractOutputsOperator,
  mergeAccumulatorsOperator,
  precombineOperator,
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
    case "beam:transform:pardo:v1": {
      const { doFn: spec } = beam.pipeline.ParDoPayload.decode(payload);
      const { doFn } = program.primitive(readFunctionPayload(spec?.payload).transform, "par-do");
      return doFn.kind === "par-do" ? parDoOperator(doFn, outputs, scope) : functionOperator(doFn, next(), scope);
    }
    case "beam:transform:window_into:v1": {
      const { windowFn: spec } = beam.pipeline.WindowIntoPayload.decode(payload);
      return windowOperator(spec, next());
    }
    case "beam:transform:flatten:v1":
      return { receive: next() };
    case "beam:transform:combine_per_key_precombine:v1":
      return precombineOperator(combineFn(), keyCoderOf(transform, descriptor, coderOf), next(), scope);
    case "beam:transform:combine_per_key_merge_accumulators:v1":
      return mergeAccumulatorsOperator(combineFn(), next(), scope);
    case "beam:transform:combine_per_key_extract_outputs:v1":
      return extractOutputsOperator(combineFn(), next(), scope);
    case "beam:transform:combine_per_key_convert_to_accumulators:v1":
      return convertToAccumulatorsOperator(combineFn(), next(), scope);
    case "beam:transform:combine_grouped_values:v1":
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

function keyCoderOf(
  transform: beam.pipeline.IPTransform,
  descriptor: StageDescriptor,
  coderOf: (coderId: string) => Coder<unknown>,
): Coder<unknown> {
  const input = Object.values(transform.inputs ?? {})[0];
  const coder = coderOf(descriptor.components.pcollections?.[input]?.coderId ?? "");
  return coder.components[0];
}
