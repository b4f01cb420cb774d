// Which operator executes a transform, by its URN.
import type { Coder } from "../../portability/coders/index.js";
import { beam } from "../../portability/protos/index.js";
import { PipelineError, type StageDescriptor } from "../../portability/stage-host/index.js";
import { COMBINE_COMPONENT, PRIMITIVE, SESSION_WINDOW_FN, SPLITTABLE_PAR_DO_COMPONENT } from "../../portability/urns/index.js";
import { ElementMeta, type Receiver, type Timestamp, type Window } from "../../portability/values/index.js";
import { assignsOneWindow, type WindowFn } from "../../portability/windows/index.js";
import type { AsyncCombineFn } from "../model/combine-fn.js";
import type { DoFn } from "../model/do-fn.js";
import { SIDE_INPUT_TAG } from "../model/side-input.js";
import { readFunctionPayload } from "../translate/function-payload.js";
import {
  combineGroupedValuesOperator,
  convertToAccumulatorsOperator,
  extractOutputsOperator,
  mergeAccumulatorsOperator,
} from "./combine-operators.js";
import { precombineOperator, type PreferTimestamp } from "./precombine-operator.js";
import { instrumentCombineFn, instrumentDoFn } from "./instrument.js";
import { functionOperator } from "./function-operators.js";
import type { Operator, OperatorScope } from "./operator.js";
import { parDoOperator } from "./par-do-operator.js";
import type { Program } from "./program.js";
import { windowFnOf } from "./window-fns.js";
import { statefulOperator } from "./stateful-operator.js";
import { SideInputView } from "./side-input-view.js";
import { pairing, splitting } from "./restriction-steps.js";
import { splittableOperator } from "./splittable-operator.js";

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
  const combineFn = () => instrumentCombineFn(combineFnOf(transform, program), scope.metrics);
  switch (transform.spec?.urn) {
    case PRIMITIVE.PAR_DO: {
      const { doFn: spec } = beam.pipeline.ParDoPayload.decode(payload);
      const { doFn } = program.primitive(readFunctionPayload(spec?.payload).transform, "par-do");
      const views = sideInputViews(doFn, transform, descriptor, program, scope);
      scope.allowedSkewMs = doFn.allowedSkewMs ?? 0;
      const called = instrumentDoFn(doFn, scope.metrics);
      const operator = doFnOperator(called, outputs, scope, views);
      const refreshed = withRefreshedViews(operator, views);
      return observesWindow(doFn) && mayHaveSeveralWindows(transform, descriptor) ? oneWindowAtATime(refreshed) : refreshed;
    }
    case SPLITTABLE_PAR_DO_COMPONENT.PAIR_WITH_RESTRICTION:
    case SPLITTABLE_PAR_DO_COMPONENT.SPLIT_AND_SIZE_RESTRICTIONS:
    case SPLITTABLE_PAR_DO_COMPONENT.PROCESS_SIZED_ELEMENTS_AND_RESTRICTIONS: {
      const { doFn: spec } = beam.pipeline.ParDoPayload.decode(payload);
      const { doFn } = program.primitive(readFunctionPayload(spec?.payload).transform, "par-do");
      const views = sideInputViews(doFn, transform, descriptor, program, scope);
      scope.allowedSkewMs = doFn.allowedSkewMs ?? 0;
      return withRefreshedViews(splittableStep(transform.spec.urn, instrumentDoFn(doFn, scope.metrics), outputs, scope, views), views);
    }
    case PRIMITIVE.ASSIGN_WINDOWS: {
      const { windowFn: spec } = beam.pipeline.WindowIntoPayload.decode(payload);
      return windowOperator(windowFnOf(spec, program), next(), scope);
    }
    case PRIMITIVE.FLATTEN:
      return { receive: next() };
    case COMBINE_COMPONENT.COMBINE_PER_KEY_PRECOMBINE:
      return precombineOperator(combineFn(), keyCoderOf(transform, descriptor, coderOf), next(), scope, {
        prefer: preferredTimestamp(transform, descriptor),
        sessions: hasSessions(transform, descriptor),
      });
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

/** One step of a splittable ParDo, which the runner has taken apart. From the first one on an element has one window. */
function splittableStep(
  urn: string,
  doFn: DoFn,
  outputs: ReadonlyMap<string, Receiver>,
  scope: OperatorScope,
  views: ReadonlyMap<string, SideInputView>,
): Operator {
  if (doFn.kind !== "splittable") throw new PipelineError("program_mismatch", `transform "${scope.name}" is not splittable in the program`);
  if (urn === SPLITTABLE_PAR_DO_COMPONENT.PROCESS_SIZED_ELEMENTS_AND_RESTRICTIONS) return splittableOperator(doFn, outputs, scope, views);
  const next: Receiver = outputs.values().next().value ?? (() => undefined);
  return urn === SPLITTABLE_PAR_DO_COMPONENT.PAIR_WITH_RESTRICTION
    ? oneWindowAtATime(functionOperator(pairing(doFn), next, scope, views))
    : functionOperator(splitting(doFn), next, scope, views);
}

/** The author's function of a combine, which every part of it names. */
export function combineFnOf({ spec }: beam.pipeline.IPTransform, program: Program): AsyncCombineFn<unknown, unknown, unknown> {
  const { combineFn } = beam.pipeline.CombinePayload.decode(spec?.payload ?? new Uint8Array());
  return program.primitive(readFunctionPayload(combineFn?.payload).transform, "combine-per-key").combineFn;
}

function doFnOperator(
  doFn: DoFn,
  outputs: ReadonlyMap<string, Receiver>,
  scope: OperatorScope,
  views: ReadonlyMap<string, SideInputView>,
): Operator {
  if (doFn.kind === "par-do") return parDoOperator(doFn, outputs, scope, views);
  if (doFn.kind === "stateful") return statefulOperator(doFn, outputs, scope, views);
  if (doFn.kind === "splittable") throw new PipelineError("malformed_transform", `transform "${scope.name}" is splittable: expand it`);
  return functionOperator(doFn, outputs.values().next().value ?? (() => undefined), scope, views);
}

function windowOperator(windowFn: WindowFn, next: Receiver, scope: OperatorScope): Operator {
  const assign = windowFn.assign.bind(windowFn) as (timestamp: Timestamp, element: unknown) => readonly Window[];
  return {
    receive(value, meta) {
      let windows: readonly Window[];
      try {
        windows = assign(meta.timestamp, value);
      } catch (cause) {
        throw scope.userError("assign failed", cause, value);
      }
      if (windows.length > 0) next(value, new ElementMeta(meta.timestamp, windows, meta.pane));
    },
  };
}

/** Whether a function can tell in which window its element is: then it is called once for each. */
function observesWindow(doFn: DoFn): boolean {
  if (doFn.kind === "stateful" || doFn.kind === "splittable") return false; // its runner sees to it
  return doFn.kind === "par-do" || doFn.fn.length > 1 || doFn.sideInputs !== undefined;
}

function mayHaveSeveralWindows(transform: beam.pipeline.IPTransform, { components }: StageDescriptor): boolean {
  const input = Object.entries(transform.inputs ?? {}).find(([tag]) => !tag.startsWith(SIDE_INPUT_TAG))?.[1] ?? "";
  return !assignsOneWindow(strategyOf(input, components)?.windowFn?.urn ?? "");
}

function oneWindowAtATime(operator: Operator): Operator {
  const { receive } = operator;
  return {
    ...operator,
    counter: undefined, // it would count each window
    receive(value, meta) {
      if (meta.windows.length === 1) return receive(value, meta);
      for (const window of meta.windows) receive(value, new ElementMeta(meta.timestamp, [window], meta.pane));
    },
  };
}

function withRefreshedViews(operator: Operator, views: ReadonlyMap<string, SideInputView>): Operator {
  if (views.size === 0) return operator;
  return {
    ...operator,
    startBundle() {
      for (const view of views.values()) view.refresh();
      return operator.startBundle?.();
    },
  };
}

function sideInputViews(
  doFn: DoFn,
  transform: beam.pipeline.IPTransform,
  { components }: StageDescriptor,
  program: Program,
  scope: OperatorScope,
): ReadonlyMap<string, SideInputView> {
  return new Map(
    Object.entries(doFn.sideInputs ?? {}).map(([name, sideInput]) => {
      const id = transform.inputs?.[SIDE_INPUT_TAG + name] ?? "";
      const windowFn = windowFnOf(strategyOf(id, components)?.windowFn, program);
      return [name, new SideInputView(name, sideInput, scope.sideInput(id), windowFn)];
    }),
  );
}

function strategyOf(pcollection: string, components: beam.pipeline.IComponents): beam.pipeline.IWindowingStrategy | undefined {
  return components.windowingStrategies?.[components.pcollections?.[pcollection]?.windowingStrategyId ?? ""];
}

/** The timestamp that a group is to have must survive the combining before it; the end of the window needs no help. */
function preferredTimestamp(transform: beam.pipeline.IPTransform, { components }: StageDescriptor): PreferTimestamp | undefined {
  const input = Object.values(transform.inputs ?? {})[0];
  switch (strategyOf(input, components)?.outputTime) {
    case beam.pipeline.OutputTime.Enum.EARLIEST_IN_PANE:
      return (candidate, current) => candidate < current;
    case beam.pipeline.OutputTime.Enum.LATEST_IN_PANE:
      return (candidate, current) => candidate > current;
    default:
      return undefined;
  }
}

function hasSessions(transform: beam.pipeline.IPTransform, { components }: StageDescriptor): boolean {
  const strategy = strategyOf(Object.values(transform.inputs ?? {})[0], components);
  return strategy?.mergeStatus === beam.pipeline.MergeStatus.Enum.NEEDS_MERGE && strategy.windowFn?.urn === SESSION_WINDOW_FN.PROPERTIES;
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
