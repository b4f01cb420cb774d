// Splittable DoFns in the parts that an SDK executes (Beam's "SDF expansion"):
//
//   in ─ ParDo ─ outputs   becomes
//   in ─ pair_with_restriction ─ paired ─ split_and_size ─ sized ─ reshuffle ─ spread ─ process_sized_elements ─ outputs
//
// S1. Every part has the ParDo's payload, environment and side inputs, and its main input under the same name: the SDK finds the
//     DoFn by them.
// S2. Elements are KV<element, restriction> once paired, and KV<that, double> once sized.
import type { beam } from "../../portability/protos/index.js";
import { ComponentsEditor } from "./components-editor.js";
import { decodeParDoPayload } from "./par-do-payload.js";
import { PAIR_WITH_RESTRICTION, PAR_DO, PROCESS_SIZED_ELEMENTS, RESHUFFLE, SPLIT_AND_SIZE } from "./transform-kinds.js";

export function expandSplittable(pipeline: beam.pipeline.IPipeline): beam.pipeline.IPipeline {
  const editor = new ComponentsEditor(pipeline.components ?? {});
  for (const [id, transform] of [...editor.transforms]) {
    if (transform.spec?.urn !== PAR_DO || !transform.spec.payload?.length) continue;
    const { restrictionCoderId, sideInputs } = decodeParDoPayload(transform.uniqueName || id, transform.spec.payload);
    if (restrictionCoderId) expand(editor, id, transform, restrictionCoderId, Object.keys(sideInputs ?? {}));
  }
  return { ...pipeline, components: editor.build() };
}

function expand(
  editor: ComponentsEditor,
  id: string,
  transform: beam.pipeline.IPTransform,
  restrictionCoderId: string,
  sideTags: readonly string[],
): void {
  const inputs = Object.entries(transform.inputs ?? {});
  const [mainTag, input] = inputs.find(([tag]) => !sideTags.includes(tag)) ?? ["", ""];
  const sides = inputs.filter(([tag]) => sideTags.includes(tag));
  const kvOf = (name: string, ...componentCoderIds: string[]): string =>
    editor.addCoder(`${id}/${name}`, { spec: { urn: "beam:coder:kv:v1" }, componentCoderIds });
  const double = editor.addCoder(`${id}/size`, { spec: { urn: "beam:coder:double:v1" } });
  const pairedCoder = kvOf("paired", editor.pcollections.get(input)?.coderId ?? "", restrictionCoderId);
  const sizedCoder = kvOf("sized", pairedCoder, double);
  const paired = editor.addPCollection(`${id}/paired`, input, pairedCoder);
  const sized = editor.addPCollection(`${id}/sized`, input, sizedCoder);
  const spread = editor.addPCollection(`${id}/spread`, input, sizedCoder);
  const part = (name: string, urn: string, main: string, outputs: Record<string, string>): string =>
    editor.addTransform(`${id}/${name}`, {
      ...transform,
      uniqueName: `${transform.uniqueName || id}/${name}`,
      spec: { urn, payload: transform.spec?.payload }, // S1
      inputs: Object.fromEntries([[mainTag, main], ...sides]),
      outputs,
    });
  const parts = [
    part("pair with restriction", PAIR_WITH_RESTRICTION, input, { out: paired }),
    part("split and size", SPLIT_AND_SIZE, paired, { out: sized }),
    editor.addTransform(`${id}/spread`, {
      uniqueName: `${transform.uniqueName || id}/spread`,
      spec: { urn: RESHUFFLE },
      inputs: { in: sized },
      outputs: { out: spread },
    }),
    part("process", PROCESS_SIZED_ELEMENTS, spread, transform.outputs ?? {}),
  ];
  editor.transforms.set(id, { ...transform, spec: undefined, environmentId: "", subtransforms: parts });
}
