import type { beam } from "../../portability/protos/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import { decodeParDoPayload } from "./par-do-payload.js";
import { WITH_PAR_DO_PAYLOAD } from "./transform-kinds.js";

/** A PCollection that a transform reads whole, beside its main input. */
export interface SideInputUse {
  /** Name of the transform's input. */
  readonly tag: string;
  readonly pcollection: string;
  /** URN of the access pattern: iterable or multimap. */
  readonly access: string;
}

/** @throws PipelineError `malformed_transform` for a payload that is none, or a side input that is no input. */
export function readSideInputs(id: string, { spec, inputs, uniqueName }: beam.pipeline.IPTransform): SideInputUse[] {
  if (!WITH_PAR_DO_PAYLOAD.has(spec?.urn ?? "") || !spec?.payload?.length) return [];
  const name = uniqueName || id;
  return Object.entries(decodeParDoPayload(name, spec.payload).sideInputs ?? {}).map(([tag, sideInput]) => {
    const pcollection = inputs?.[tag];
    if (pcollection === undefined)
      throw new PipelineError(
        "malformed_transform",
        `transform "${name}" has a side input "${tag}" that is not among its inputs; correct its translation`,
      );
    return { tag, pcollection, access: sideInput.accessPattern?.urn ?? "" };
  });
}
