// Scripts of TestStreams for environments that are not in this process: the runner has to find where each element ends.
//
// SDKs do not agree on how an element is written there: some write it by itself, without the length that it has inside of others, some with
// it, and mostly by coders that the runner does not know. None of that has to be known: with a length in front of it, the SDK reads what it
// has written, and writes it anew as what follows wants it.
//
// D1. Such a TestStream puts out a PCollection of its own, of the coder length_prefix<X>; a flatten in the environment of what comes next makes
//     the one that was declared of it.
// D2. Elements that are declared to have their length already are left as they are.
import { ByteWriter } from "../../portability/coders/index.js";
import { beam } from "../../portability/protos/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import { BEAMSTORM, CODER } from "../../portability/urns/index.js";
import { ComponentsEditor } from "./components-editor.js";
import type { LengthPrefixOptions } from "./length-prefix.js";
import type { LeafTransform } from "./leaf-transforms.js";
import { pipelineGraph, type PipelineGraph } from "./pipeline-graph.js";
import { FLATTEN, TEST_STREAM } from "./transform-kinds.js";

/** @throws PipelineError naming the transform, for a script whose coder is missing */
export function delimitScripts(pipeline: beam.pipeline.IPipeline, options: LengthPrefixOptions = {}): beam.pipeline.IPipeline {
  const environments = pipeline.components?.environments ?? {};
  const isEmbedded = options.isEmbedded ?? (({ urn }) => urn === BEAMSTORM.EMBEDDED_ENVIRONMENT);
  if (Object.values(environments).every(isEmbedded)) return pipeline;
  const graph = pipelineGraph(pipeline);
  const editor = new ComponentsEditor(pipeline.components ?? {});
  const roots = [...(pipeline.rootTransformIds ?? [])];
  for (const leaf of graph.transforms) {
    if (leaf.urn !== TEST_STREAM) continue;
    const environmentId = environmentBehind(graph, leaf.outputs);
    if (environmentId !== undefined && !isEmbedded(environments[environmentId] ?? {})) roots.push(...delimit(editor, leaf, environmentId));
  }
  return { ...pipeline, rootTransformIds: roots, components: editor.build() };
}

/** The ids of what it added. */
function delimit(editor: ComponentsEditor, { id, uniqueName, payload }: LeafTransform, environmentId: string): string[] {
  const script = beam.pipeline.TestStreamPayload.fromObject(beam.pipeline.TestStreamPayload.decode(payload));
  const transform = editor.transforms.get(id)!;
  const outputs = { ...transform.outputs };
  const isPrefixed = (coderId: string): boolean => editor.coders.get(coderId)?.spec?.urn === CODER.LENGTH_PREFIX;
  // D2: a script may name the coder that is inside the prefix.
  const declared = [script.coderId, ...Object.values(outputs).map((output) => editor.pcollections.get(output)?.coderId ?? "")];
  const prefixed = declared.find(isPrefixed);
  const added: string[] = [];
  if (prefixed !== undefined) script.coderId = prefixed;
  else {
    if (!editor.coders.has(script.coderId))
      throw new PipelineError(
        "malformed_transform",
        `the script of transform "${uniqueName}" names the coder "${script.coderId}", which is missing`,
      );
    script.coderId = editor.addCoder(`${script.coderId}/written`, {
      spec: { urn: CODER.LENGTH_PREFIX },
      componentCoderIds: [script.coderId],
    });
    for (const { elementEvent } of script.events)
      for (const element of elementEvent?.elements ?? []) element.encodedElement = withLength(element.encodedElement ?? new Uint8Array());
    for (const [tag, output] of Object.entries(outputs)) {
      outputs[tag] = editor.addPCollection(`${id}/${tag}`, output, script.coderId);
      added.push(
        editor.addTransform(`${id}/read ${tag}`, {
          uniqueName: `${uniqueName}/read ${tag}`,
          spec: { urn: FLATTEN },
          environmentId,
          inputs: { in: outputs[tag] },
          outputs: { out: output },
        }),
      );
    }
  }
  const written = beam.pipeline.TestStreamPayload.encode(script).finish();
  editor.transforms.set(id, { ...transform, outputs, spec: { ...transform.spec, payload: written } });
  return added;
}

/** The nearest environment downstream. */
function environmentBehind(graph: PipelineGraph, pcollections: readonly string[]): string | undefined {
  const open = new Set(pcollections);
  for (const each of open)
    for (const { environmentId, outputs } of graph.consumers.get(each) ?? []) {
      if (environmentId !== "") return environmentId;
      for (const output of outputs) open.add(output);
    }
  return undefined;
}

function withLength(bytes: Uint8Array): Uint8Array {
  const writer = new ByteWriter(bytes.length + 5);
  writer.writeVarint(bytes.length);
  writer.writeBytes(bytes);
  return writer.toBytes();
}
