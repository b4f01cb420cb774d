// The leaves of a pipeline's transform hierarchy, in the shape the rest of this folder works with.
//
// F1. Every leaf below the roots occurs once. Leaves nobody reaches from a root do not run.
// F2. A composite is not a leaf; one without subtransforms that only passes inputs on, or does nothing, is no leaf either.
// F3. A read is one of ours by its source's URN; any other is what its SDK expanded it to.
import type { beam } from "../../portability/protos/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import { LATE_OUTPUT } from "../../portability/payloads/late-output.js";
import { isOwnSource } from "./read-payload.js";
import { readSideInputs, type SideInputUse } from "./side-inputs.js";
import { decodeParDoPayload } from "./par-do-payload.js";
import { GROUP_BY_KEY, PAR_DO, READ, transformKind, type TransformKind } from "./transform-kinds.js";

/** A transform that is executed as one. */
export interface LeafTransform {
  readonly id: string;
  /** The name its author knows it by. */
  readonly uniqueName: string;
  readonly kind: TransformKind;
  readonly urn: string;
  readonly payload: Uint8Array;
  /** Whether it has state or timers: then it starts a stage, and equal keys meet in it. */
  readonly isStateful: boolean;
  /** Whether it must be given the same elements whenever it is given them again: then they are made in another stage, or by the head of its own. */
  readonly requiresStableInput: boolean;
  /** Empty for transforms that the runner executes. */
  readonly environmentId: string;
  /** PCollection ids without side inputs; the same one twice if the transform reads it twice. */
  readonly inputs: readonly string[];
  readonly sideInputs: readonly SideInputUse[];
  /** PCollection ids, {@link lateOutput} last. */
  readonly outputs: readonly string[];
  /** Of a grouping: where elements go that came too late, if that is wanted. */
  readonly lateOutput?: string;
}

const NO_BYTES = new Uint8Array(0);
const GENERIC_COMPOSITE = "beam:transform:generic_composite:v1";

/** @throws PipelineError `dangling_reference` for an unknown id, `pipeline_cycle` for a transform that contains itself. */
export function leafTransforms(pipeline: beam.pipeline.IPipeline): LeafTransform[] {
  const transforms = new Map(Object.entries(pipeline.components?.transforms ?? {}));
  const leaves: LeafTransform[] = [];
  const done = new Set<string>();
  const open = new Set<string>();
  // An explicit stack, since nesting is as deep as authors like. An entry with `leave` closes its composite.
  const stack = [...(pipeline.rootTransformIds ?? [])].reverse().map((id) => ({ id, parent: "", leave: false }));
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const { id, parent, leave } = entry;
    if (leave) {
      open.delete(id);
      done.add(id);
      continue;
    }
    if (open.has(id)) throw containsItself(id, transforms.get(id)?.uniqueName ?? id);
    if (done.has(id)) continue;
    const transform = transforms.get(id);
    if (transform === undefined) throw unknownTransformId(id, parent);
    const leaf = toLeaf(id, transform);
    if (isLeaf(leaf, transform)) leaves.push(leaf);
    if (isLeaf(leaf, transform) || !transform.subtransforms?.length) {
      done.add(id);
      continue;
    }
    open.add(id);
    stack.push({ id, parent, leave: true });
    for (const child of [...transform.subtransforms].reverse()) stack.push({ id: child, parent: leaf.uniqueName, leave: false });
  }
  return leaves;
}

/** Ids of all PCollections that a transform reads, side inputs included. */
export function readPCollections({ inputs, sideInputs }: LeafTransform): string[] {
  return [...inputs, ...sideInputs.map(({ pcollection }) => pcollection)];
}

function toLeaf(id: string, transform: beam.pipeline.IPTransform): LeafTransform {
  const urn = transform.spec?.urn ?? "";
  const payload = transform.spec?.payload ?? NO_BYTES;
  const sideInputs = readSideInputs(id, transform);
  const outputs = Object.values(transform.outputs ?? {});
  const lateOutput = urn === GROUP_BY_KEY && outputs.length > 1 ? transform.outputs?.[LATE_OUTPUT] : undefined;
  const isMain = ([tag]: [string, string]): boolean => !sideInputs.some((side) => side.tag === tag);
  return {
    id,
    uniqueName: transform.uniqueName || id,
    kind: urn === READ && isOwnSource(payload) ? "read" : transformKind(urn), // F3
    urn,
    payload,
    ...(urn === PAR_DO ? parDoOf(transform.uniqueName || id, payload) : { isStateful: false, requiresStableInput: false }),
    environmentId: transform.environmentId ?? "",
    inputs: Object.entries(transform.inputs ?? {})
      .filter(isMain)
      .map(([, pcollection]) => pcollection),
    sideInputs,
    outputs: lateOutput === undefined ? outputs : [...outputs.filter((output) => output !== lateOutput), lateOutput],
    lateOutput,
  };
}

function parDoOf(uniqueName: string, payload: Uint8Array): Pick<LeafTransform, "isStateful" | "requiresStableInput"> {
  const { stateSpecs, timerFamilySpecs, requiresStableInput } = decodeParDoPayload(uniqueName, payload);
  const isStateful = Object.keys(stateSpecs ?? {}).length + Object.keys(timerFamilySpecs ?? {}).length > 0;
  return { isStateful, requiresStableInput: requiresStableInput === true };
}

function isLeaf(leaf: LeafTransform, transform: beam.pipeline.IPTransform): boolean {
  const empty = !transform.subtransforms?.length;
  if (leaf.kind === "combine-per-key" || leaf.kind === "unsupported") return empty;
  if (leaf.kind !== "unknown") return true;
  return empty && !passesOn(leaf);
}

/** F2: a composite whose outputs are its inputs, or that has nothing in it at all. */
function passesOn({ urn, inputs, outputs }: LeafTransform): boolean {
  if (outputs.length === 0) return urn === "" || urn === GENERIC_COMPOSITE;
  return outputs.every((output) => inputs.includes(output));
}

function unknownTransformId(id: string, parent: string): PipelineError {
  const where = parent === "" ? "the list of root transforms" : `transform "${parent}"`;
  return new PipelineError(
    "dangling_reference",
    `${where} names a transform "${id}" that the pipeline does not contain; submit the complete pipeline`,
  );
}

function containsItself(id: string, uniqueName: string): PipelineError {
  return new PipelineError(
    "pipeline_cycle",
    `transform "${uniqueName}" (${id}) is among its own subtransforms; a composite must be a tree`,
  );
}
