// Checks that one leaf transform is of a shape the runner or a stage host can execute.
import { beam } from "../../portability/protos/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import { SESSION_WINDOW_FN, SIDE_INPUT_ACCESS } from "../../portability/urns/index.js";
import { decodeCombinePayload } from "./combine-payload.js";
import type { LeafTransform } from "./leaf-transforms.js";
import { decodeParDoPayload } from "./par-do-payload.js";
import type { SideInputUse } from "./side-inputs.js";
import { PAR_DO, type TransformKind } from "./transform-kinds.js";

const KV_CODER = "beam:coder:kv:v1";

/** @throws PipelineError `unknown_transform`, `unsupported_feature`, `unknown_environment` or `malformed_transform`. */
export function validateLeaf(leaf: LeafTransform, components: beam.pipeline.IComponents): void {
  if (leaf.kind === "unknown") throw unknown(leaf);
  if (leaf.kind === "unsupported") throw unsupported(leaf, `the transform ${leaf.urn}`, "leave it out");
  if (leaf.urn === PAR_DO) validateParDo(leaf, components);
  for (const sideInput of leaf.sideInputs) validateSideInput(leaf, sideInput, components);
  validateArity(leaf);
  if (leaf.isStateful) validateStateful(leaf, components);
  if (leaf.kind === "group-by-key" || leaf.kind === "combine-per-key" || leaf.isStateful) validateKeyed(leaf, components);
  if (leaf.kind === "combine-per-key") decodeCombinePayload(leaf.uniqueName, leaf.payload);
  if (leaf.kind === "sdk" || leaf.kind === "combine-per-key" || leaf.kind === "read") validateEnvironment(leaf, components);
}

function validateParDo(leaf: LeafTransform, components: beam.pipeline.IComponents): void {
  const payload = decodeParDoPayload(leaf.uniqueName, leaf.payload);
  const features: [used: unknown, feature: string, advice: string][] = [
    [
      payload.requiresTimeSortedInput && !leaf.isStateful,
      "input sorted by time without state",
      "give it state, so that its input has keys",
    ],
  ];
  for (const [used, feature, advice] of features) if (used) throw unsupported(leaf, feature, advice);
  const { restrictionCoderId } = payload;
  if (restrictionCoderId && !Object.hasOwn(components.coders ?? {}, restrictionCoderId))
    throw new PipelineError(
      "dangling_reference",
      `transform "${leaf.uniqueName}" names the coder "${restrictionCoderId}" for its restrictions, which the pipeline does not contain`,
    );
}

/** What merges has no state: nobody knows how to merge it. */
function validateStateful(leaf: LeafTransform, { pcollections, windowingStrategies }: beam.pipeline.IComponents): void {
  const strategy = windowingStrategies?.[pcollections?.[leaf.inputs[0]]?.windowingStrategyId ?? ""];
  if (strategy?.mergeStatus === beam.pipeline.MergeStatus.Enum.NEEDS_MERGE)
    throw unsupported(leaf, "state or timers in windows that merge", "group by key before, or window it otherwise");
}

function validateSideInput(leaf: LeafTransform, { tag, pcollection, access }: SideInputUse, components: beam.pipeline.IComponents): void {
  if (access !== SIDE_INPUT_ACCESS.ITERABLE && access !== SIDE_INPUT_ACCESS.MULTIMAP)
    throw unsupported(leaf, `the access pattern ${access || "(none)"} for its side input "${tag}"`, "read it as an iterable or a multimap");
  const { coderId, windowingStrategyId } = components.pcollections?.[pcollection] ?? {};
  if (access === SIDE_INPUT_ACCESS.MULTIMAP && components.coders?.[coderId ?? ""]?.spec?.urn !== KV_CODER)
    throw new PipelineError(
      "malformed_transform",
      `transform "${leaf.uniqueName}" reads its side input "${tag}" by key, but its elements are no keys and values (${KV_CODER})`,
    );
  const strategy = components.windowingStrategies?.[windowingStrategyId ?? ""];
  if (strategy?.mergeStatus === beam.pipeline.MergeStatus.Enum.NEEDS_MERGE || strategy?.windowFn?.urn === SESSION_WINDOW_FN.PROPERTIES)
    throw unsupported(leaf, `a side input "${tag}" whose windows merge, or have merged`, "window it otherwise before");
}

/** Inputs and outputs each kind must have, besides a grouping's late output; undefined: any number. */
const ARITY: Record<
  Exclude<TransformKind, "unknown" | "unsupported">,
  readonly [inputs: number | undefined, outputs: number | undefined]
> = {
  impulse: [0, 1],
  "test-stream": [0, undefined],
  read: [0, 1],
  "group-by-key": [1, 1],
  "combine-per-key": [1, 1],
  reshuffle: [1, 1],
  flatten: [undefined, 1],
  sdk: [1, undefined],
};

function validateArity(leaf: LeafTransform): void {
  if (leaf.kind === "unknown" || leaf.kind === "unsupported") return;
  const [inputs, outputs] = ARITY[leaf.kind];
  const check = (what: string, expected: number | undefined, actual: number): void => {
    if (expected !== undefined && expected !== actual)
      throw new PipelineError(
        "malformed_transform",
        `transform "${leaf.uniqueName}" (${leaf.urn}) has ${actual} ${what} where ${expected} must be; correct its translation`,
      );
  };
  check("inputs", inputs, leaf.inputs.length);
  check("outputs", outputs, leaf.outputs.length - (leaf.lateOutput === undefined ? 0 : 1));
}

function validateKeyed(leaf: LeafTransform, { pcollections, coders }: beam.pipeline.IComponents): void {
  const coder = coders?.[pcollections?.[leaf.inputs[0]]?.coderId ?? ""];
  if (coder?.spec?.urn !== KV_CODER || coder.componentCoderIds?.length !== 2)
    throw new PipelineError(
      "malformed_transform",
      `transform "${leaf.uniqueName}" reads elements by key, but their coder is ${coder?.spec?.urn ?? "?"}; its input must be of keys and values (${KV_CODER})`,
    );
}

function validateEnvironment(leaf: LeafTransform, components: beam.pipeline.IComponents): void {
  if (Object.hasOwn(components.environments ?? {}, leaf.environmentId)) return;
  throw new PipelineError(
    "unknown_environment",
    `transform "${leaf.uniqueName}" runs in the environment "${leaf.environmentId}", which the pipeline does not contain; add it to the components`,
  );
}

function unsupported(leaf: LeafTransform, feature: string, advice: string): PipelineError {
  return new PipelineError(
    "unsupported_feature",
    `transform "${leaf.uniqueName}" uses ${feature}, which this runner cannot execute yet; ${advice}`,
  );
}

function unknown(leaf: LeafTransform): PipelineError {
  const what = leaf.urn === "" ? "has neither a URN nor subtransforms" : `has the URN ${leaf.urn}, which this runner does not know`;
  return new PipelineError("unknown_transform", `transform "${leaf.uniqueName}" ${what}; expand it before submission`);
}
