// What a flatten joins may have been declared with several coders. Where elements are bytes to the runner, somebody has to write
// them anew in the coder of the flatten's output: the SDK they come from does it, by a flatten of one PCollection into another.
//
// So it is with a reshuffle: SDKs declare its output with another coder than its input where only the one is to be grouped by.
//
// A1. A flatten, or a reshuffle, between stages reads and puts out PCollections of one coder, if any environment is remote.
// A2. What converts belongs to the environment where the elements come from, so it costs no hop where that has just made them.
import type { beam } from "../../portability/protos/index.js";
import { BEAMSTORM } from "../../portability/urns/index.js";
import { ComponentsEditor } from "./components-editor.js";
import type { LengthPrefixOptions } from "./length-prefix.js";
import type { LeafTransform } from "./leaf-transforms.js";
import { pipelineGraph, type PipelineGraph } from "./pipeline-graph.js";
import { FLATTEN } from "./transform-kinds.js";

export function alignCoders(pipeline: beam.pipeline.IPipeline, options: LengthPrefixOptions = {}): beam.pipeline.IPipeline {
  const isEmbedded = options.isEmbedded ?? (({ urn }) => urn === BEAMSTORM.EMBEDDED_ENVIRONMENT);
  if (Object.values(pipeline.components?.environments ?? {}).every(isEmbedded)) return pipeline;
  const graph = pipelineGraph(pipeline);
  const editor = new ComponentsEditor(pipeline.components ?? {});
  const roots = [...(pipeline.rootTransformIds ?? [])];
  for (const leaf of graph.transforms)
    if (leaf.kind === "flatten" || leaf.kind === "reshuffle") roots.push(...alignInputs(editor, graph, leaf));
  return { ...pipeline, rootTransformIds: roots, components: editor.build() };
}

/** A1: puts a conversion before each input that needs one; the ids of what it added. */
function alignInputs(editor: ComponentsEditor, graph: PipelineGraph, leaf: LeafTransform): string[] {
  const transform = editor.transforms.get(leaf.id)!;
  const coderId = coderOf(editor, leaf.outputs[0]);
  const inputs = { ...transform.inputs };
  const added: string[] = [];
  for (const [tag, input] of Object.entries(inputs)) {
    if (coderOf(editor, input) === coderId) continue;
    inputs[tag] = editor.addPCollection(`${leaf.id}/${tag}`, input, coderId);
    added.push(convert(editor, leaf, tag, input, inputs[tag], originOf(graph, input)));
  }
  if (added.length > 0) editor.transforms.set(leaf.id, { ...transform, inputs });
  return added;
}

const coderOf = (editor: ComponentsEditor, pcollection: string): string => editor.pcollections.get(pcollection)?.coderId ?? "";

/** A flatten of one PCollection into another one: its id. */
function convert(editor: ComponentsEditor, { id, uniqueName }: LeafTransform, tag: string, from: string, to: string, by: string): string {
  return editor.addTransform(`${id}/convert ${tag}`, {
    uniqueName: `${uniqueName}/convert ${tag}`,
    spec: { urn: FLATTEN },
    environmentId: by,
    inputs: { in: from },
    outputs: { out: to },
  });
}

/** A2: the nearest environment upstream; without one, that of anybody. */
function originOf(graph: PipelineGraph, pcollection: string): string {
  const open = new Set([pcollection]);
  for (const each of open) {
    const producer = graph.producers.get(each);
    if (producer?.environmentId) return producer.environmentId;
    for (const input of producer?.inputs ?? []) open.add(input);
  }
  return graph.transforms.find(({ environmentId }) => environmentId !== "")?.environmentId ?? "";
}
