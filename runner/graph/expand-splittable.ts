// Splittable DoFns: a ParDo with restrictions becomes the steps that a stage host knows to execute.
//
//   in ─ ParDo ─ out…   becomes
//   in ─ pair_with_restriction ─ paired ─ split_and_size ─ sized ─ redistribute ─ dealt ─ process ─ out…
//
// R1. Each step of the SDK has the ParDo's unique name, payload, environment and side inputs, and its name for the main input.
// R2. Elements of paired are kv<E, R>, of sized and dealt kv<kv<E, R>, double>.
// R3. The redistribution lets the parts of one element go to different tasks. Process begins a stage of its own, so that what it hands back
//     for later can be given to it again.
import type { beam } from "../../portability/protos/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import { ComponentsEditor } from "./components-editor.js";
import { decodeParDoPayload } from "./par-do-payload.js";
import { readSideInputs } from "./side-inputs.js";
import { PAIR_WITH_RESTRICTION, PAR_DO, PROCESS_SIZED, REDISTRIBUTE, SPLIT_AND_SIZE } from "./transform-kinds.js";

const KV = "beam:coder:kv:v1";
const DOUBLE = "beam:coder:double:v1";

/** Expects a pipeline that `validatePipeline` accepts. */
export function expandSplittable(pipeline: beam.pipeline.IPipeline): beam.pipeline.IPipeline {
  const editor = new ComponentsEditor(pipeline.components ?? {});
  for (const [id, transform] of [...editor.transforms]) {
    if (transform.spec?.urn !== PAR_DO || !transform.spec.payload?.length) continue;
    const { restrictionCoderId } = decodeParDoPayload(transform.uniqueName || id, transform.spec.payload);
    if (restrictionCoderId) expand(editor, id, transform, restrictionCoderId);
  }
  return { ...pipeline, components: editor.build() };
}

function expand(editor: ComponentsEditor, id: string, parDo: beam.pipeline.IPTransform, restrictionCoderId: string): void {
  const { inputs, sides } = inputsOf(id, parDo);
  const [tag, input] = inputs;
  const elementCoderId = editor.pcollections.get(input)?.coderId ?? "";
  const pairedCoder = editor.addCoder(`${id}/paired`, { spec: { urn: KV }, componentCoderIds: [elementCoderId, restrictionCoderId] });
  const sizeCoder = editor.addCoder(`${id}/size`, { spec: { urn: DOUBLE } });
  const sizedCoder = editor.addCoder(`${id}/sized`, { spec: { urn: KV }, componentCoderIds: [pairedCoder, sizeCoder] });
  const paired = editor.addPCollection(`${id}/paired`, input, pairedCoder);
  const sized = editor.addPCollection(`${id}/sized`, input, sizedCoder);
  const dealt = editor.addPCollection(`${id}/dealt`, input, sizedCoder);
  const step = (name: string, urn: string, from: string, outputs: beam.pipeline.IPTransform["outputs"]): string =>
    editor.addTransform(`${id}/${name}`, {
      ...parDo,
      spec: { urn, payload: parDo.spec?.payload },
      inputs: { ...sides, [tag]: from },
      outputs,
      subtransforms: [],
    });
  const parts = [
    step("pair", PAIR_WITH_RESTRICTION, input, { out: paired }),
    step("split", SPLIT_AND_SIZE, paired, { out: sized }),
    editor.addTransform(`${id}/redistribute`, {
      uniqueName: `${parDo.uniqueName}/redistribute`,
      spec: { urn: REDISTRIBUTE },
      inputs: { in: sized },
      outputs: { out: dealt },
    }),
    step("process", PROCESS_SIZED, dealt, parDo.outputs),
  ];
  // The ParDo becomes the composite of its steps.
  editor.transforms.set(id, { ...parDo, spec: undefined, environmentId: "", subtransforms: parts });
}

function inputsOf(id: string, parDo: beam.pipeline.IPTransform): { inputs: [string, string]; sides: Record<string, string> } {
  const sideTags = new Set(readSideInputs(id, parDo).map(({ tag }) => tag));
  const entries = Object.entries(parDo.inputs ?? {});
  const main = entries.filter(([tag]) => !sideTags.has(tag));
  if (main.length !== 1)
    throw new PipelineError(
      "malformed_transform",
      `splittable transform "${parDo.uniqueName}" has ${main.length} main inputs instead of one`,
    );
  return { inputs: main[0], sides: Object.fromEntries(entries.filter(([tag]) => sideTags.has(tag))) };
}
