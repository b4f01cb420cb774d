// Makes every encoding that crosses between the runner and a remote SDK readable to the runner: where elements, keys
// and values begin and end. What it does not know it prefixes with a length, and never decodes.
//
// L1. A known coder is kept, its components are looked at; an unknown coder X becomes length_prefix<X>.
// L2. Below a length_prefix nothing changes: the bytes there are opaque already.
// L3. Equal coders are rewritten equally, so both sides of a grouping agree about the encoding of its keys.
// L4. What the payloads of remote transforms name (restrictions, state, timers) crosses as well, and is rewritten in the same way.
// L5. A window that is none of Beam's becomes custom_window<length_prefix<X>>: its end in front of it is all that the runner knows of it.
// L6. PCollections that only embedded environments touch keep their coders, as their elements are plain objects.
import { beam } from "../../portability/protos/index.js";
import { BEAMSTORM } from "../../portability/urns/index.js";
import { ComponentsEditor } from "./components-editor.js";
import { readPCollections, type LeafTransform } from "./leaf-transforms.js";
import { decodeParDoPayload } from "./par-do-payload.js";
import type { PipelineGraph } from "./pipeline-graph.js";
import { WITH_PAR_DO_PAYLOAD } from "./transform-kinds.js";

const LENGTH_PREFIX = "beam:coder:length_prefix:v1";
const CUSTOM_WINDOW = "beam:coder:custom_window:v1";
const WINDOW_CODERS: ReadonlySet<string> = new Set(["beam:coder:global_window:v1", "beam:coder:interval_window:v1", CUSTOM_WINDOW]);
/** Coders whose second component is that of a window. */
const WITH_WINDOW: ReadonlySet<string> = new Set([
  "beam:coder:timer:v1",
  "beam:coder:windowed_value:v1",
  "beam:coder:param_windowed_value:v1",
]);

export interface LengthPrefixOptions {
  /** Whether the runner can find its way in the bytes of a coder with this URN, given that it can in its components'. */
  readonly isKnownCoder?: (urn: string) => boolean;
  /** Whether stages of an environment run in this process, on plain objects. */
  readonly isEmbedded?: (environment: beam.pipeline.IEnvironment) => boolean;
}

const RUNNER_SAFE_CODERS: ReadonlySet<string> = new Set(
  (
    "bytes string_utf8 length_prefix varint double bool global_window interval_window kv iterable timer windowed_value " +
    "param_windowed_value state_backed_iterable custom_window sharded_key nullable"
  )
    .split(" ")
    .map((name) => `beam:coder:${name}:v1`),
);

export function lengthPrefixUnknownCoders(graph: PipelineGraph, options: LengthPrefixOptions = {}): PipelineGraph {
  const isEmbedded = options.isEmbedded ?? (({ urn }) => urn === BEAMSTORM.EMBEDDED_ENVIRONMENT);
  const remote = remotePCollections(graph, isEmbedded);
  if (remote.size === 0) return graph;
  const editor = new ComponentsEditor(graph.components);
  const rewrite = coderRewrite(editor, options.isKnownCoder ?? ((urn) => RUNNER_SAFE_CODERS.has(urn)));
  for (const id of remote) {
    const pcollection = editor.pcollections.get(id)!;
    const coderId = rewrite.element(pcollection.coderId ?? "");
    if (coderId !== pcollection.coderId) editor.pcollections.set(id, { ...pcollection, coderId });
    const strategyId = pcollection.windowingStrategyId ?? "";
    const strategy = editor.windowingStrategies.get(strategyId);
    if (!strategy?.windowCoderId || !editor.coders.has(strategy.windowCoderId)) continue; // refused where it is needed
    const windowCoderId = rewrite.window(strategy.windowCoderId); // L5
    if (windowCoderId !== strategy.windowCoderId) editor.windowingStrategies.set(strategyId, { ...strategy, windowCoderId });
  }
  for (const leaf of graph.transforms) {
    if (!WITH_PAR_DO_PAYLOAD.has(leaf.urn) || isEmbedded(graph.components.environments?.[leaf.environmentId] ?? {})) continue;
    const payload = rewriteParDoPayload(leaf, rewrite.element); // L4
    const transform = editor.transforms.get(leaf.id)!;
    if (payload !== leaf.payload) editor.transforms.set(leaf.id, { ...transform, spec: { ...transform.spec, payload } });
  }
  return { ...graph, components: editor.build() };
}

/** The payload with runner-safe coders; the same one if it names none that is unsafe. */
function rewriteParDoPayload({ uniqueName, payload }: LeafTransform, rewrite: (coderId: string) => string): Uint8Array {
  const parDo = beam.pipeline.ParDoPayload.fromObject(decodeParDoPayload(uniqueName, payload));
  let changed = false;
  const safe = (coderId: string | null | undefined): string => {
    const rewritten = coderId ? rewrite(coderId) : "";
    if (rewritten !== (coderId ?? "")) changed = true;
    return rewritten;
  };
  parDo.restrictionCoderId = safe(parDo.restrictionCoderId);
  for (const spec of Object.values(parDo.timerFamilySpecs ?? {})) spec.timerFamilyCoderId = safe(spec.timerFamilyCoderId);
  for (const { readModifyWriteSpec, bagSpec, setSpec, mapSpec, multimapSpec, orderedListSpec, combiningSpec } of Object.values(
    parDo.stateSpecs ?? {},
  )) {
    if (readModifyWriteSpec) readModifyWriteSpec.coderId = safe(readModifyWriteSpec.coderId);
    if (combiningSpec) combiningSpec.accumulatorCoderId = safe(combiningSpec.accumulatorCoderId);
    for (const spec of [bagSpec, setSpec, orderedListSpec]) if (spec) spec.elementCoderId = safe(spec.elementCoderId);
    for (const spec of [mapSpec, multimapSpec]) {
      if (!spec) continue;
      spec.keyCoderId = safe(spec.keyCoderId);
      spec.valueCoderId = safe(spec.valueCoderId);
    }
  }
  return changed ? beam.pipeline.ParDoPayload.encode(parDo).finish() : payload;
}

interface CoderRewrite {
  readonly element: (coderId: string) => string;
  window(coderId: string): string;
}

function coderRewrite(editor: ComponentsEditor, isKnownCoder: (urn: string) => boolean): CoderRewrite {
  const rewritten = new Map<string, string>();
  const rewrite = (id: string): string => {
    const known = rewritten.get(id);
    if (known !== undefined) return known;
    const result = rewriteCoder(id, editor.coders.get(id)!);
    rewritten.set(id, result);
    return result;
  };
  const rewriteCoder = (id: string, coder: beam.pipeline.ICoder): string => {
    const urn = coder.spec?.urn ?? "";
    if (urn === LENGTH_PREFIX) return id;
    if (!isKnownCoder(urn)) return editor.addCoder(`${id}/length_prefix`, { spec: { urn: LENGTH_PREFIX }, componentCoderIds: [id] });
    const before = coder.componentCoderIds ?? [];
    const after = before.map((component, i) => (i === 1 && WITH_WINDOW.has(urn) ? rewriteWindow(component) : rewrite(component)));
    if (after.every((component, i) => component === before[i])) return id;
    return editor.addCoder(`${id}/runner_safe`, { ...coder, componentCoderIds: after });
  };
  const windows = new Map<string, string>();
  const rewriteWindow = (id: string): string => {
    const urn = editor.coders.get(id)?.spec?.urn ?? "";
    if (WINDOW_CODERS.has(urn)) return rewrite(id);
    let custom = windows.get(id);
    if (custom === undefined) {
      const prefixed =
        urn === LENGTH_PREFIX ? id : editor.addCoder(`${id}/length_prefix`, { spec: { urn: LENGTH_PREFIX }, componentCoderIds: [id] });
      custom = editor.addCoder(`${id}/custom_window`, { spec: { urn: CUSTOM_WINDOW }, componentCoderIds: [prefixed] });
      windows.set(id, custom);
    }
    return custom;
  };
  return { element: rewrite, window: rewriteWindow };
}

/** PCollections that a remote environment produces or reads, directly or through transforms of the runner. */
function remotePCollections(graph: PipelineGraph, isEmbedded: (environment: beam.pipeline.IEnvironment) => boolean): Set<string> {
  const environments = graph.components.environments ?? {};
  const isRemote = (id: string): boolean => !isEmbedded(environments[id] ?? {});
  const remote = new Set<string>();
  const open: string[] = [];
  const touch = (transform: LeafTransform): void => {
    for (const id of [...readPCollections(transform), ...transform.outputs]) {
      if (remote.has(id)) continue;
      remote.add(id);
      open.push(id);
    }
  };
  for (const transform of graph.transforms) if (transform.kind === "sdk" && isRemote(transform.environmentId)) touch(transform);
  for (let id = open.pop(); id !== undefined; id = open.pop())
    for (const neighbour of [graph.producers.get(id), ...(graph.consumers.get(id) ?? [])])
      if (neighbour !== undefined && neighbour.kind !== "sdk") touch(neighbour);
  return remote;
}
