// Hand-made topologies for tests of the runtime: components and streams in a few words each.
import { beam } from "../../portability/protos/index.js";
import type { Component, Grouping, Head, Stream, Topology } from "../../runner/topology/index.js";

const { MergeStatus, OutputTime, AccumulationMode } = beam.pipeline;

const strategy = (window: "global_window" | "interval_window", more: Partial<beam.pipeline.IWindowingStrategy> = {}) => ({
  mergeStatus: MergeStatus.Enum.NON_MERGING,
  windowCoderId: window,
  outputTime: OutputTime.Enum.END_OF_WINDOW,
  accumulationMode: AccumulationMode.Enum.DISCARDING,
  ...more,
});

/** Windowing strategies by the ids that topologies here use. */
export const COMPONENTS: beam.pipeline.IComponents = {
  windowingStrategies: {
    global: strategy("global_window"),
    fixed: strategy("interval_window"),
    sessions: strategy("interval_window", { mergeStatus: MergeStatus.Enum.NEEDS_MERGE }),
    "repeated nothing": strategy("global_window", { trigger: { repeat: {} } }),
  },
};

export interface ComponentSketch {
  readonly id: string;
  /** PCollection ids that its stage puts out. */
  readonly outputs?: readonly string[];
  readonly parallelism?: number;
  /** Makes it a grouping bolt with this windowing strategy. */
  readonly groups?: string;
  readonly groupCoder?: string;
  /** PCollections that it reads as side inputs. */
  readonly sideInputs?: readonly string[];
}

export interface StreamSketch {
  readonly from: string;
  readonly pcollection: string;
  readonly to: string;
  readonly grouping?: Grouping;
  readonly coder: string;
  readonly windowing?: string;
  readonly sideInput?: string;
}

/** Components without an input stream become spouts; each has one transform with the component's id. */
export function topologyOf(sketches: readonly ComponentSketch[], streams: readonly StreamSketch[], keyGroups = 128): Topology {
  const pcollections: Record<string, beam.pipeline.IPCollection> = {};
  for (const { pcollection, to, coder: coderId, windowing: windowingStrategyId = "global" } of streams)
    for (const name of [pcollection, `${to}.in`, `${to}.pairs`]) pcollections[name] = { coderId, windowingStrategyId };
  const components = sketches.map((sketch): Component => {
    const { id, outputs = [], parallelism = 1, sideInputs = [] } = sketch;
    const isSpout = !streams.some(({ to }) => to === id);
    const head = headOf(sketch, isSpout);
    const stage = {
      id,
      environmentId: "env",
      inputs: [head.output],
      outputs,
      sideInputs: [],
      transformIds: [id],
      components: { ...COMPONENTS, pcollections },
    };
    const ports = sideInputs.map((pcollection) => ({ pcollection, windowingStrategyId: "global" }));
    return { id, kind: isSpout ? "spout" : "bolt", head, stage, sideInputs: ports, parallelism };
  });
  return { components, streams: streams.map(toStream), keyGroups };
}

function headOf({ id, groups, groupCoder = "pair" }: ComponentSketch, isSpout: boolean): Head {
  const output = `${id}.in`;
  if (isSpout) return { kind: "impulse", output };
  if (groups === undefined) return { kind: "relay", output };
  return {
    kind: "group-by-key",
    output,
    input: `${id}.pairs`,
    windowingStrategyId: groups,
    coderId: groupCoder,
    transformName: `group ${id}`,
  };
}

function toStream(sketch: StreamSketch, index: number): Stream {
  const { from, pcollection, to, grouping = "direct", coder, windowing = "global", sideInput } = sketch;
  return { id: index + 1, from, pcollection, to, grouping, sideInput, coderId: coder, windowingStrategyId: windowing };
}
