import { globalWindowCoder, intervalWindowCoder, iterableCoder, kvCoder, type Coder } from "../../portability/coders/index.js";
import { beam } from "../../portability/protos/index.js";
import {
  BEAMSTORM,
  CODER,
  COMBINE_COMPONENT,
  COMPOSITE,
  DEPRECATED_PRIMITIVE,
  DISPLAY_DATA,
  PRIMITIVE,
  REQUIREMENT,
  SIDE_INPUT_ACCESS,
} from "../../portability/urns/index.js";
import type { DoFn } from "../model/do-fn.js";
import type { GraphBuilder } from "../model/graph-builder.js";
import type { PCollection } from "../model/pcollection.js";
import { SIDE_INPUT_TAG } from "../model/side-input.js";
import type { TransformNode } from "../model/transform-node.js";
import { OwnWindowFn } from "../model/own-window-fn.js";
import { globalWindows, type WindowFn } from "../../portability/windows/index.js";
import { anyValue } from "../transforms/element-coder.js";
import { CoderIds, WindowingIds } from "./component-ids.js";
import { testStreamPayload } from "./test-stream-payload.js";
import { statefulParts, type TimerCoders } from "./stateful-payload.js";
import type { Window } from "../../portability/values/index.js";
import { writeFunctionPayload } from "./function-payload.js";
import { knownComposite } from "./known-composite.js";
import { windowFnToProto } from "../../portability/payloads/window-fns.js";

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
    (windowFn) => this.coders.idOf(windowCoderOf(windowFn)),
    (windowFn) => this.windowFnToProto(windowFn),
    ENVIRONMENT_ID,
  );
  private readonly ownWindowFns: ReadonlyMap<WindowFn<never>, string>;
  private readonly transforms: Record<string, beam.pipeline.IPTransform> = {};
  private readonly pcollections: Record<string, beam.pipeline.IPCollection> = {};

  constructor(private readonly graph: GraphBuilder) {
    this.ownWindowFns = windowFnsOf(graph.root);
  }

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
          [ENVIRONMENT_ID]: { urn: BEAMSTORM.EMBEDDED_ENVIRONMENT, capabilities: CAPABILITIES, displayData: [] },
        },
      },
      rootTransformIds: this.graph.root.children.map((child) => child.uniqueName),
      requirements: requirementsOf(this.graph.root),
    };
  }

  private addPCollection(pcollection: PCollection<unknown>): void {
    this.pcollections[pcollection.id] = {
      uniqueName: pcollection.id,
      coderId: this.coders.idOf(pcollection.coder),
      isBounded: pcollection.isBounded ? beam.pipeline.IsBounded.Enum.BOUNDED : beam.pipeline.IsBounded.Enum.UNBOUNDED,
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
      displayData: displayDataOf(node),
    };
    if (node.primitive?.kind === "read")
      transform.annotations = { [BEAMSTORM.PARALLELISM]: new TextEncoder().encode(String(node.primitive.source.parallelism)) };
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
      spec: { urn: PRIMITIVE.GROUP_BY_KEY },
      inputs: { in: input.id },
      outputs: { out: grouped },
    };
    this.transforms[combineId] = {
      uniqueName: combineId,
      spec: { urn: COMBINE_COMPONENT.COMBINE_GROUPED_VALUES, payload: composite.spec?.payload },
      inputs: { in: grouped },
      outputs: { out: only(node.outputs).id },
      environmentId: ENVIRONMENT_ID,
    };
    composite.subtransforms = [groupId, combineId];
  }

  /** A function of the author's own is named by the transform that introduces it. */
  private windowFnToProto(windowFn: WindowFn<never>): beam.pipeline.IFunctionSpec {
    if (!(windowFn instanceof OwnWindowFn)) return windowFnToProto(windowFn);
    return { urn: windowFn.urn, payload: writeFunctionPayload({ transform: this.ownWindowFns.get(windowFn) ?? "" }) };
  }

  private timerCoders({ inputs }: TransformNode, keyCoder = anyValue): TimerCoders {
    const input = inputs.get("in") ?? only(inputs);
    return { key: keyCoder, window: windowCoderOf(input.windowing.windowFn) as Coder<Window> };
  }

  private specOf(node: TransformNode): beam.pipeline.IFunctionSpec | undefined {
    const { primitive } = node;
    if (primitive === undefined) return node.known === undefined ? undefined : knownComposite(node.known);
    const fn = writeFunctionPayload({ transform: node.uniqueName });
    switch (primitive.kind) {
      case "impulse":
        return { urn: PRIMITIVE.IMPULSE };
      case "test-stream":
        return { urn: PRIMITIVE.TEST_STREAM, payload: testStreamPayload(primitive, this.coders.idOf(primitive.coder)) };
      case "read":
        return {
          urn: DEPRECATED_PRIMITIVE.READ, // for sources that a runner reads by itself, as ours does
          payload: beam.pipeline.ReadPayload.encode({
            source: { urn: BEAMSTORM.SOURCE, payload: fn },
            isBounded: beam.pipeline.IsBounded.Enum[primitive.source.ends ? "BOUNDED" : "UNBOUNDED"],
          }).finish(),
        };
      case "flatten":
        return { urn: PRIMITIVE.FLATTEN };
      case "group-by-key":
        return { urn: PRIMITIVE.GROUP_BY_KEY };
      case "par-do":
        return {
          urn: PRIMITIVE.PAR_DO,
          payload: beam.pipeline.ParDoPayload.encode({
            doFn: { urn: BEAMSTORM.DO_FN, payload: fn },
            sideInputs: sideInputsOf(primitive.doFn, fn),
            ...splittableParts(primitive.doFn, (coder) => this.coders.idOf(coder)),
            requiresStableInput: primitive.doFn.requiresStableInput === true,
            ...statefulParts(primitive.doFn, this.timerCoders(node, primitive.keyCoder), (coder) => this.coders.idOf(coder)),
          }).finish(),
        };
      case "window-into":
        return {
          urn: PRIMITIVE.ASSIGN_WINDOWS,
          payload: beam.pipeline.WindowIntoPayload.encode({ windowFn: this.windowFnToProto(primitive.windowing.windowFn) }).finish(),
        };
      case "combine-per-key":
        return {
          urn: COMPOSITE.COMBINE_PER_KEY,
          payload: beam.pipeline.CombinePayload.encode({
            combineFn: { urn: BEAMSTORM.COMBINE_FN, payload: fn },
            accumulatorCoderId: this.coders.idOf((primitive.combineFn.accumulatorCoder ?? anyValue) as Coder<unknown>),
          }).finish(),
        };
    }
  }
}

function windowCoderOf(windowFn: WindowFn<never>): Coder<unknown> {
  if (windowFn instanceof OwnWindowFn) return windowFn.windowCoder;
  return windowFn === globalWindows ? globalWindowCoder : (intervalWindowCoder as Coder<unknown>);
}

/** What the payload of a ParDo says of its restrictions, which travel with the state of their watermark; nothing for one without. */
function splittableParts(doFn: DoFn, idOf: (coder: Coder<unknown>) => string): Partial<beam.pipeline.IParDoPayload> {
  if (doFn.kind !== "splittable") return {};
  return {
    restrictionCoderId: idOf(kvCoder(doFn.restrictionCoder, doFn.watermarkStateCoder) as Coder<unknown>),
    requestsFinalization: doFn.finalizes,
  };
}

/** What a runner must be able to do. */
function requirementsOf(root: TransformNode): string[] {
  const found = new Set<string>();
  const visit = ({ primitive, children }: TransformNode): void => {
    if (primitive?.kind === "par-do" && primitive.doFn.kind === "splittable") {
      found.add(REQUIREMENT.REQUIRES_SPLITTABLE_DOFN);
      if (primitive.doFn.finalizes) found.add(REQUIREMENT.REQUIRES_BUNDLE_FINALIZATION);
    }
    if (primitive?.kind === "par-do" && primitive.doFn.requiresStableInput === true) found.add(REQUIREMENT.REQUIRES_STABLE_INPUT);
    if (primitive?.kind === "par-do" && primitive.doFn.kind === "stateful") {
      found.add(REQUIREMENT.REQUIRES_STATEFUL_PROCESSING);
      if (primitive.doFn.requiresTimeSortedInput === true) found.add(REQUIREMENT.REQUIRES_TIME_SORTED_INPUT);
      if (primitive.doFn.spec.onWindowExpiration !== undefined) found.add(REQUIREMENT.REQUIRES_ON_WINDOW_EXPIRATION);
    }
    children.forEach(visit);
  };
  visit(root);
  return [...found];
}

/** Each window function, and the first transform that uses it. */
function windowFnsOf(root: TransformNode): Map<WindowFn<never>, string> {
  const found = new Map<WindowFn<never>, string>();
  const visit = ({ primitive, uniqueName, children }: TransformNode): void => {
    if (primitive?.kind === "window-into" && !found.has(primitive.windowing.windowFn)) found.set(primitive.windowing.windowFn, uniqueName);
    children.forEach(visit);
  };
  visit(root);
  return found;
}

/** A view is built by the SDK from all elements of a window, or those of a key: the runner needs to know no more about it. */
function sideInputsOf(doFn: DoFn, payload: Uint8Array): Record<string, beam.pipeline.ISideInput> {
  const sideInputs: Record<string, beam.pipeline.ISideInput> = {};
  for (const [name, { kind }] of Object.entries(doFn.sideInputs ?? {}))
    sideInputs[SIDE_INPUT_TAG + name] = {
      accessPattern: { urn: kind === "map" || kind === "multimap" ? SIDE_INPUT_ACCESS.MULTIMAP : SIDE_INPUT_ACCESS.ITERABLE },
      viewFn: { urn: BEAMSTORM.VIEW_FN, payload },
      windowMappingFn: { urn: BEAMSTORM.WINDOW_MAPPING_FN },
    };
  return sideInputs;
}

/** What our harness can do; a runner must not count on more. */
const CAPABILITIES = [
  CODER.BYTES,
  CODER.STRING_UTF8,
  CODER.KV,
  CODER.BOOL,
  CODER.VARINT,
  CODER.DOUBLE,
  CODER.ITERABLE,
  CODER.TIMER,
  CODER.INTERVAL_WINDOW,
  CODER.LENGTH_PREFIX,
  CODER.GLOBAL_WINDOW,
  CODER.WINDOWED_VALUE,
  CODER.PARAM_WINDOWED_VALUE,
  CODER.CUSTOM_WINDOW,
  CODER.ROW,
  CODER.SHARDED_KEY,
  CODER.NULLABLE,
];

/** What people see of a step in a runner's own tools: which kind of function it runs. */
function displayDataOf({ primitive }: TransformNode): beam.pipeline.IDisplayData[] {
  if (primitive?.kind !== "par-do") return [];
  const payload = beam.pipeline.LabelledPayload.encode({ label: "function", key: "function", stringValue: primitive.doFn.kind }).finish();
  return [{ urn: DISPLAY_DATA.LABELLED, payload }];
}

function needsEnvironment(node: TransformNode): boolean {
  const kind = node.primitive?.kind;
  return kind === "read" || kind === "par-do" || kind === "window-into" || kind === "combine-per-key";
}

function idsOf(pcollections: ReadonlyMap<string, PCollection<unknown>>): Record<string, string> {
  return Object.fromEntries([...pcollections].map(([tag, pcollection]) => [tag, pcollection.id]));
}

function only(pcollections: ReadonlyMap<string, PCollection<unknown>>): PCollection<unknown> {
  const [first] = pcollections.values();
  return first;
}
