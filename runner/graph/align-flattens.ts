// What a flatten joins may have been declared with several coders. Where elements are bytes to the runner, somebody has to write
// them anew in the coder of the flatten's output: the SDK they come from does it, by a flatten of one PCollection into another.
//
// A1. A flatten between stages reads and puts out PCollections of one coder, if any environment is remote.
// A2. What converts belongs to the environment where the elements come from, so it costs no hop where that has just made them.
import type { beam } from "../../portability/protos/index.js";
import { ComponentsEditor } from "./components-editor.js";
import { EMBEDDED_ENVIRONMENT, type LengthPrefixOptions } from "./length-prefix.js";
import type { LeafTransform } from "./leaf-transforms.js";
import { pipelineGraph, type PipelineGraph } from "./pipeline-graph.js";
import { FLATTEN } from "./transform-kinds.js";

export function alignFlattens(pipeline: beam.pipeline.IPipeline, options: LengthPrefixOptions = {}): beam.pipeline.IPipeline {
  const isEmbedded = options.isEmbedded ?? (({ urn }) => urn === EMBEDDED_ENVIRONMENT);
  if (Object.values(pipeline.components?.environments ?? {}).every(isEmbedded)) return pipeline;
  const graph = pipelineGraph(pipeline);
  const editor = new ComponentsEditor(pipeline.components ?? {});
  const roots = [...(pipeline.rootTransformIds ?? [])];
  for (const leaf of graph.transforms) if (leaf.kind === "flatten") roots.push(...align(editor, graph, leaf));
  return { ...pipeline, rootTransformIds: roots, components: editor.build() };
}

/** Puts a conversion before each input that needs one; the ids of what it added. */
function align(editor: ComponentsEditor, graph: PipelineGraph, { id, uniqueName, outputs: [output] }: LeafTransform): string[] {
  const flatten = editor.transforms.get(id)!;
  const coderId = editor.pcollections.get(output)?.coderId ?? "";
  const inputs = { ...flatten.inputs };
  const added: string[] = [];
  for (const [tag, input] of Object.entries(inputs)) {
    if (editor.pcollections.get(input)?.coderId === coderId) continue;
    inputs[tag] = editor.addPCollection(`${id}/${tag}`, input, coderId);
    added.push(
      editor.addTransform(`${id}/convert ${tag}`, {
        uniqueName: `${uniqueName}/convert ${tag}`,
        spec: { urn: FLATTEN },
        environmentId: originOf(graph, input),
        inputs: { in: input },
        outputs: { out: inputs[tag] },
      }),
    );
  }
  if (added.length > 0) editor.transforms.set(id, { ...flatten, inputs });
  return added;
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
