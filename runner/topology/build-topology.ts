// Turns fused stages into components and streams.
//
// B1. An impulse is one element, so a spout is one task; one that reads a source has as many tasks as bolts have, but no more than the source
//     says that it can be shared by, one unless it says so. Bolts get the parallelism that was asked for, keyed bolts no more than there are key groups.
// B2. A stream keeps elements in their place (direct) only where nobody asked for a reshuffle and the tasks pair up.
import { BEAMSTORM } from "../../portability/urns/index.js";
import type { FusedPipeline, FusedStage, LeafTransform, StageEdge } from "../graph/index.js";
import { componentName } from "./component-name.js";
import type { Component, Grouping, Head, KeyedTransform, Stream, Topology } from "./topology.js";

/** Into how many shares the key space falls where nobody says otherwise. */
export const DEFAULT_KEY_GROUPS = 128;

/** How stages are laid out as components. */
export interface TopologyOptions {
  /** Tasks of each bolt, at least 1. */
  readonly parallelism: number;
  /** Default: {@link DEFAULT_KEY_GROUPS}. */
  readonly keyGroups?: number;
}

/** @internal */
export function buildTopology(pipeline: FusedPipeline, options: TopologyOptions): Topology {
  const keyGroups = wholeNumber("keyGroups", options.keyGroups ?? DEFAULT_KEY_GROUPS);
  const parallelism = wholeNumber("parallelism", options.parallelism);
  const components = new Map<string, Component>();
  for (const [i, stage] of pipeline.stages.entries()) {
    const kind = isKeyed(stage.head) || isUnkeyedBolt(stage.head) ? "bolt" : "spout";
    components.set(stage.id, {
      id: `${kind}-${i + 1} ${componentName(stage)}`,
      kind,
      head: toHead(pipeline, stage),
      stage: {
        id: stage.id,
        environmentId: stage.environmentId,
        inputs: inputsOf(stage),
        outputs: stage.outputs,
        sideInputs: stage.sideInputs,
        transformIds: stage.transforms.map(({ id }) => id),
        components: pipeline.graph.components,
      },
      sideInputs: stage.sideInputs.map((pcollection) => ({
        pcollection,
        windowingStrategyId: pcollectionOf(pipeline, pcollection).windowingStrategyId,
      })),
      ...(stage.stateful === undefined ? {} : { stateful: keyedTransform(pipeline, stage.stateful) }),
      parallelism: Math.min(parallelism, mostTasks(pipeline, stage, keyGroups)),
      ...(stage.requiresStableInput ? { requiresStableInput: true } : {}),
    });
  }
  const streams = pipeline.edges.map((edge, i): Stream => {
    const from = components.get(edge.from)!;
    const to = components.get(edge.to)!;
    // B3. Elements travel in the form that their reader takes: what a flatten joins may have been declared with several coders.
    const main = to.head.kind === "group-by-key" ? to.head.input : to.head.output;
    const { coderId, windowingStrategyId } = pcollectionOf(pipeline, edge.sideInput ?? main);
    return {
      id: i + 1,
      from: from.id,
      pcollection: edge.pcollection,
      to: to.id,
      grouping: toGrouping(edge, from, to),
      sideInput: edge.sideInput,
      coderId,
      windowingStrategyId,
    };
  });
  return { components: [...components.values()], streams, keyGroups };
}

/** B1 */
function mostTasks({ graph }: FusedPipeline, { head }: FusedStage, keyGroups: number): number {
  if (isUnkeyedBolt(head)) return Infinity;
  if (isKeyed(head)) return keyGroups;
  if (head.kind !== "read") return 1;
  const said = graph.components.transforms?.[head.transform.id]?.annotations?.[BEAMSTORM.PARALLELISM];
  const tasks = said === undefined ? 1 : Number(new TextDecoder().decode(said));
  return Number.isSafeInteger(tasks) && tasks >= 1 ? tasks : 1;
}

/** Whether any task may have any element. */
function isUnkeyedBolt({ kind }: { readonly kind: Head["kind"] }): boolean {
  return kind === "relay" || kind === "splittable";
}

/** Whether equal keys have to meet in one task. */
function isKeyed({ kind }: { readonly kind: Head["kind"] }): boolean {
  return kind === "group-by-key" || kind === "keyed";
}

function wholeNumber(name: string, value: number): number {
  if (!(Number.isSafeInteger(value) && value >= 1)) throw new RangeError(`${name} must be a whole number of at least 1, not ${value}`);
  return value;
}

function toHead(pipeline: FusedPipeline, stage: FusedStage): Head {
  const { head } = stage;
  const { kind, output } = head;
  if (kind === "test-stream") {
    const { id } = head.transform;
    const outputs = Object.entries(pipeline.graph.components.transforms?.[id]?.outputs ?? {});
    return { kind, output, transformId: id, tag: outputs.find(([, pcollection]) => pcollection === output)?.[0] ?? "" };
  }
  if (kind === "read") return { kind, output, transformId: head.transform.id, transformName: head.transform.uniqueName };
  if (kind === "keyed") return { kind, output, ...keyedTransform(pipeline, head.transform) };
  if (kind === "splittable") return { kind, output, ...pcollectionOf(pipeline, output) };
  if (kind !== "group-by-key") return { kind, output };
  const [input] = head.transform.inputs;
  const [, late] = inputsOf(stage);
  return { kind, output, input, ...pcollectionOf(pipeline, input), transformName: head.transform.uniqueName, late };
}

function keyedTransform(pipeline: FusedPipeline, { id, uniqueName, inputs }: LeafTransform): KeyedTransform {
  return { ...pcollectionOf(pipeline, inputs[0]), transformId: id, transformName: uniqueName };
}

/** What the head delivers, and what it puts straight into an output. */
function inputsOf({ head, outputs }: FusedStage): readonly string[] {
  const late = head.kind === "group-by-key" ? head.late : undefined;
  return late !== undefined && outputs.includes(late) ? [head.output, late] : [head.output];
}

/** B2 */
function toGrouping(edge: StageEdge, from: Component, to: Component): Grouping {
  if (edge.sideInput !== undefined) return "all";
  if (isKeyed(to.head)) return "fields";
  return !edge.reshuffled && from.parallelism === to.parallelism ? "direct" : "shuffle";
}

function pcollectionOf({ graph }: FusedPipeline, id: string): { coderId: string; windowingStrategyId: string } {
  const pcollection = graph.components.pcollections?.[id];
  return { coderId: pcollection?.coderId ?? "", windowingStrategyId: pcollection?.windowingStrategyId ?? "" };
}
