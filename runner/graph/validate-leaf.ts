// Checks that one leaf transform is of a shape the runner or a stage host can execute.
import { beam } from "../../portability/protos/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import { decodeCombinePayload } from "./combine-payload.js";
import type { LeafTransform } from "./leaf-transforms.js";
import { PAR_DO, type TransformKind } from "./transform-kinds.js";

const KV_CODER = "beam:coder:kv:v1";

/** @throws PipelineError `unknown_transform`, `unsupported_feature`, `unknown_environment` or `malformed_transform`. */
export function validateLeaf(leaf: LeafTransform, components: beam.pipeline.IComponents): void {
  if (leaf.kind === "unknown") throw unknown(leaf);
  if (leaf.kind === "unsupported") throw unsupported(leaf, `the transform ${leaf.urn}`, "leave it out");
  if (leaf.urn === PAR_DO) validateParDo(leaf);
  validateArity(leaf);
  if (leaf.kind === "group-by-key" || leaf.kind === "combine-per-key") validateKeyed(leaf, components);
  if (leaf.kind === "combine-per-key") decodeCombinePayload(leaf.uniqueName, leaf.payload);
  if (leaf.kind === "sdk" || leaf.kind === "combine-per-key") validateEnvironment(leaf, components);
}

function validateParDo(leaf: LeafTransform): void {
  let payload: beam.pipeline.IParDoPayload;
  try {
    payload = beam.pipeline.ParDoPayload.decode(leaf.payload);
  } catch (cause) {
    throw new PipelineError("malformed_transform", `transform "${leaf.uniqueName}" has a payload that is no ParDoPayload`, { cause });
  }
  const names = (map: object | null | undefined): string => Object.keys(map ?? {}).join(", ");
  const features: [used: unknown, feature: string, advice: string][] = [
    [names(payload.sideInputs), `side inputs (${names(payload.sideInputs)})`, "join the data by key instead"],
    [names(payload.stateSpecs), `state (${names(payload.stateSpecs)})`, "combine per key instead"],
    [names(payload.timerFamilySpecs), `timers (${names(payload.timerFamilySpecs)})`, "use a windowing strategy instead"],
    [payload.onWindowExpirationTimerFamilySpec, "a callback on window expiration", "leave it out"],
    [payload.restrictionCoderId, "a splittable DoFn", "expand to an impulse and plain DoFns"],
    [payload.requiresTimeSortedInput, "input sorted by time", "group and sort the elements instead"],
    [payload.requiresStableInput, "stable input", "leave it out"],
    [payload.requestsFinalization, "bundle finalization", "leave it out"],
  ];
  for (const [used, feature, advice] of features) if (used) throw unsupported(leaf, feature, advice);
}

/** Inputs and outputs each kind must have; undefined: any number. */
const ARITY: Record<
  Exclude<TransformKind, "unknown" | "unsupported">,
  readonly [inputs: number | undefined, outputs: number | undefined]
> = {
  impulse: [0, 1],
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
  check("outputs", outputs, leaf.outputs.length);
}

function validateKeyed(leaf: LeafTransform, { pcollections, coders }: beam.pipeline.IComponents): void {
  const coder = coders?.[pcollections?.[leaf.inputs[0]]?.coderId ?? ""];
  if (coder?.spec?.urn !== KV_CODER || coder.componentCoderIds?.length !== 2)
    throw new PipelineError(
      "malformed_transform",
      `transform "${leaf.uniqueName}" groups elements with the coder ${coder?.spec?.urn ?? "?"}; its input must be of keys and values (${KV_CODER})`,
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
