import { globalWindowCoder, intervalWindowCoder, iterableCoder, kvCoder, type Coder } from "../../portability/coders/index.js";
import { beam } from "../../portability/protos/index.js";
import type { GraphBuilder } from "../model/graph-builder.js";
import type { PCollection } from "../model/pcollection.js";
import type { TransformNode } from "../model/transform-node.js";
import { anyValue } from "../transforms/element-coder.js";
import { CoderIds, WindowingIds } from "./component-ids.js";
import { writeFunctionPayload } from "./function-payload.js";
import { windowFnToProto } from "./window-fns.js";

/** The environment of functions that a TypeScript process executes by itself. */
export const EMBEDDED_ENVIRONMENT_URN = "beamstorm:env:embedded:v1";
const ENVIRONMENT_ID = "typescript";

/**
 * Writes a pipeline as Beam's `Pipeline` message: from here on nobody needs to know that it was TypeScript.
 * The ids are the transforms' unique names; the same graph always gives the same message.
 */
export function translatePipeline(graph: GraphBuilder): beam.pipeline.IPipeline {
  return new Translation(graph).run();
}

class Translation {
  private readonly coders = new CoderIds();
  private readonly windowings = new WindowingIds(
    (urn) => this.coders.idOf(urn.includes("global_windows") ? globalWindowCoder : (intervalWindowCoder as Coder<unknown>)),
    ENVIRONMENT_ID,
  );
  private readonly transforms: Record<string, beam.pipeline.IPTransform> = {};
  private readonly pcollections: Record<string, beam.pipeline.IPCollection> = {};

  constructor(private readonly graph: GraphBuilder) {}

  run(): beam.pipeline.IPipeline {
    for (const pcollection of this.graph.pcollections) this.addPCollection(pcollection);
    for (const child of this.graph.root.children) this.addTransform(child);
    return {
      components: {
        transforms: this.transforms,
        pcollections: this.pcollections,
        coders: this.coders.coders,
        windowingStrategies: this.windowings.strategies,
        environments: {
          [ENVIRONMENT_ID]: { urn: EMBEDDED_ENVIRONMENT_URN, capabilities: CAPABILITIES, displayData: [] },
        },
      },
      rootTransformIds: this.graph.root.children.map((child) => child.uniqueName),
      requirements: [],
    };
  }

  private addPCollection(pcollection: PCollection<unknown>): void {
    this.pcollections[pcollection.id] = {
      uniqueName: pcollection.id,
      coderId: this.coders.idOf(pcollection.coder),
      isBounded: beam.pipeline.IsBounded.Enum.BOUNDED,
      windowingStrategyId: this.windowings.idOf(pcollection.windowing),
    };
  }

  private addTransform(node: TransformNode): void {
    const transform: beam.pipeline.IPTransform = {
      uniqueName: node.uniqueName,
      inputs: idsOf(node.inputs),
      outputs: idsOf(node.outputs),
      spec: this.specOf(node),
      subtransforms: node.children.map((child) => child.uniqueName),
      displayData: [],
    };
    if (needsEnvironment(node)) transform.environmentId = ENVIRONMENT_ID;
    this.transforms[node.uniqueName] = transform;
    for (const child of node.children) this.addTransform(child);
    if (node.primitive?.kind === "combine-per-key") this.addCombineParts(node, node.primitive.keyCoder, transform);
  }

  /** A combine is a composite on the wire: a grouping and the combining of what it groups, which a runner may lift. */
  private addCombineParts(node: TransformNode, keyCoder: Coder<unknown>, composite: beam.pipeline.IPTransform): void {
    const input = only(node.inputs);
    const grouped = `${only(node.outputs).id}.grouped`;
    const valueCoder = input.coder.components[1] ?? anyValue;
    this.pcollections[grouped] = {
      ...this.pcollections[input.id],
      uniqueName: grouped,
      coderId: this.coders.idOf(kvCoder(keyCoder, iterableCoder(valueCoder)) as Coder<unknown>),
    };
    const groupId = `${node.uniqueName}/group`;
    const combineId = `${node.uniqueName}/combine`;
    this.transforms[groupId] = {
      uniqueName: groupId,
      spec: { urn: "beam:transform:group_by_key:v1" },
      inputs: { in: input.id },
      outputs: { out: grouped },
    };
    this.transforms[combineId] = {
      uniqueName: combineId,
      spec: { urn: "beam:transform:combine_grouped_values:v1", payload: composite.spec?.payload },
      inputs: { in: grouped },
      outputs: { out: only(node.outputs).id },
      environmentId: ENVIRONMENT_ID,
    };
    composite.subtransforms = [groupId, combineId];
  }

  private specOf(node: TransformNode): beam.pipeline.IFunctionSpec | undefined {
    const { primitive } = node;
    if (primitive === undefined) return node.urn === undefined ? undefined : { urn: node.urn };
    const fn = writeFunctionPayload({ transform: node.uniqueName });
    switch (primitive.kind) {
      case "impulse":
        return { urn: "beam:transform:impulse:v1" };
      case "flatten":
        return { urn: "beam:transform:flatten:v1" };
      case "group-by-key":
        return { urn: "beam:transform:group_by_key:v1" };
      case "par-do":
        return {
          urn: "beam:transform:pardo:v1",
          payload: beam.pipeline.ParDoPayload.encode({ doFn: { urn: DO_FN_URN, payload: fn } }).finish(),
        };
      case "window-into":
        return {
          urn: "beam:transform:window_into:v1",
          payload: beam.pipeline.WindowIntoPayload.encode({ windowFn: windowFnToProto(primitive.windowing.windowFn) }).finish(),
        };
      case "combine-per-key":
        return {
          urn: "beam:transform:combine_per_key:v1",
          payload: beam.pipeline.CombinePayload.encode({
            combineFn: { urn: COMBINE_FN_URN, payload: fn },
            accumulatorCoderId: this.coders.idOf((primitive.combineFn.accumulatorCoder ?? anyValue) as Coder<unknown>),
          }).finish(),
        };
    }
  }
}

const DO_FN_URN = "beamstorm:dofn:program:v1";
const COMBINE_FN_URN = "beamstorm:combinefn:program:v1";

/** What our harness can do; a runner must not count on more. */
const CAPABILITIES = [
  "beam:coder:bytes:v1",
  "beam:coder:string_utf8:v1",
  "beam:coder:kv:v1",
  "beam:coder:bool:v1",
  "beam:coder:varint:v1",
  "beam:coder:double:v1",
  "beam:coder:iterable:v1",
  "beam:coder:interval_window:v1",
  "beam:coder:length_prefix:v1",
  "beam:coder:global_window:v1",
  "beam:coder:windowed_value:v1",
  "beam:coder:nullable:v1",
  "beam:coder:row:v1",
];

function needsEnvironment(node: TransformNode): boolean {
  const kind = node.primitive?.kind;
  return kind === "par-do" || kind === "window-into" || kind === "combine-per-key";
}

function idsOf(pcollections: ReadonlyMap<string, PCollection<unknown>>): Record<string, string> {
  return Object.fromEntries([...pcollections].map(([tag, pcollection]) => [tag, pcollection.id]));
}

function only(pcollections: ReadonlyMap<string, PCollection<unknown>>): PCollection<unknown> {
  const [first] = pcollections.values();
  return first;
}
