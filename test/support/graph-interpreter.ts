// Runs pipelines of toy functions on plain arrays, in two ways that share nothing but the toys: straight from the proto, and
// as a topology, stage by stage. Fusion is right if every PCollection ends up with the same elements.
//
// An element is a number, a pair [key, value], or a group [key, values]; the impulse is 0. Windows are left out.
import { beam } from "../../portability/protos/index.js";
import type { Component, Topology } from "../../runner/topology/index.js";
import type { Toy } from "./pipeline-builder.js";

type Value = number | [key: number, value: number] | [key: number, values: number[]];
/** The elements of each PCollection. */
export type Contents = Map<string, Value[]>;

const text = new TextDecoder();
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function fold(value: Value): number {
  if (typeof value === "number") return value;
  return value[0] * 7 + (typeof value[1] === "number" ? value[1] : sum(value[1]));
}

/** Elements for each output tag. */
const TOYS: Record<Toy, (value: number) => unknown[][]> = {
  increment: (x) => [[x + 1]],
  spread: (x) => [[x, x + 1]],
  "drop odd": (x) => [x % 2 === 0 ? [x] : []],
  fold: (x) => [[x]],
  "key by mod 3": (x) => [[[((x % 3) + 3) % 3, x]]],
  "split by parity": (x) => (x % 2 === 0 ? [[x], []] : [[], [x]]),
  fail: () => {
    throw new Error("toy failure");
  },
};

/** Reads the proto top down; a combine per key is one operation. */
export function interpretPipeline(pipeline: beam.pipeline.IPipeline): Contents {
  const transforms = pipeline.components!.transforms!;
  const waiting: beam.pipeline.IPTransform[] = [];
  const collect = (id: string): void => {
    const transform = transforms[id];
    const combine = transform.spec?.urn === "beam:transform:combine_per_key:v1";
    if (transform.subtransforms?.length && !combine) transform.subtransforms.forEach(collect);
    else waiting.push(transform);
  };
  pipeline.rootTransformIds!.forEach(collect);

  const contents: Contents = new Map();
  while (waiting.length > 0) {
    const ready = waiting.findIndex((transform) => Object.values(transform.inputs!).every((input) => contents.has(input)));
    if (ready < 0) throw new Error("the rest of the pipeline waits for inputs nobody produces");
    execute(waiting.splice(ready, 1)[0], contents);
  }
  return contents;
}

/** Runs stage by stage: a stage sees what its head delivers, its side inputs and what it makes of them, and hands on its outputs only. */
export function interpretTopology(topology: Topology): Contents {
  const all: Contents = new Map();
  const handedOn = new Map<string, Contents>();
  const waiting = [...topology.components];
  const arriving = (component: Component, sideInput: string | undefined): Value[] =>
    topology.streams
      .filter((stream) => stream.to === component.id && stream.sideInput === sideInput)
      .flatMap((stream) => {
        const elements = handedOn.get(stream.from)?.get(stream.pcollection);
        if (elements === undefined) throw new Error(`${stream.from} does not hand on ${stream.pcollection} to ${stream.to}`);
        return elements;
      });
  while (waiting.length > 0) {
    const ready = waiting.findIndex(({ id }) => topology.streams.every(({ to, from }) => to !== id || handedOn.has(from)));
    if (ready < 0) throw new Error("the rest of the components wait for each other");
    const [component] = waiting.splice(ready, 1);
    const sides: Contents = new Map(component.sideInputs.map(({ pcollection }) => [pcollection, arriving(component, pcollection)]));
    const own: Contents = new Map([[component.head.output, deliver(component, arriving(component, undefined))]]);
    for (const id of component.stage.transformIds) execute(component.stage.components.transforms![id], own, sides);
    handedOn.set(component.id, new Map(component.stage.outputs.map((id) => [id, own.get(id)!])));
    for (const [id, elements] of own) all.set(id, elements);
  }
  return all;
}

function deliver({ head }: Component, arrived: Value[]): Value[] {
  switch (head.kind) {
    case "impulse":
      return [0];
    case "read":
    case "test-stream":
      throw new Error("neither scripts nor sources among the toys");
    case "empty":
      return [];
    case "relay":
    case "keyed":
    case "splittable":
      return arrived;
    case "group-by-key":
      return group(arrived);
  }
}

function execute(transform: beam.pipeline.IPTransform, contents: Contents, sideContents: Contents = contents): void {
  const read = (from: Contents, input: string): Value[] => {
    const elements = from.get(input);
    if (elements === undefined) throw new Error(`${transform.uniqueName} reads ${input}, which is not there`);
    return elements;
  };
  const ports = Object.entries(transform.inputs!);
  const inputs = ports.filter(([tag]) => !tag.startsWith("side")).map(([, input]) => read(contents, input));
  const sides = ports.filter(([tag]) => tag.startsWith("side")).map(([, input]) => read(sideContents, input));
  const added = sum(sides.flat().map(fold));
  const outputs = operate(transform, sides.length === 0 ? inputs.flat() : inputs.flat().map((value) => fold(value) + added));
  // Tags are numbers, in order.
  Object.values(transform.outputs!).forEach((id, i) => contents.set(id, outputs[i]));
}

function operate({ spec }: beam.pipeline.IPTransform, elements: Value[]): Value[][] {
  switch (spec!.urn!.split(":")[2]) {
    case "impulse":
      return [[0]];
    case "flatten":
    case "reshuffle":
    case "window_into":
    case "combine_per_key_extract_outputs":
      return [elements];
    case "group_by_key":
      return [group(elements)];
    case "combine_per_key":
      return [total(group(elements))];
    case "combine_per_key_precombine":
      // Bundles of three, so that a key has several accumulators.
      return [elements.flatMap((_, i) => (i % 3 === 0 ? total(group(elements.slice(i, i + 3))) : []))];
    case "combine_per_key_merge_accumulators":
    case "combine_grouped_values":
      return [total(elements)];
    case "pardo":
      return parDo(text.decode(beam.pipeline.ParDoPayload.decode(spec!.payload!).doFn!.payload!) as Toy, elements);
    default:
      throw new Error(`no toy for ${spec!.urn}`);
  }
}

function parDo(toy: Toy, elements: Value[]): Value[][] {
  const outputs: Value[][] = [[], []];
  for (const element of elements) TOYS[toy](fold(element)).forEach((values, i) => outputs[i].push(...(values as Value[])));
  return outputs;
}

function group(elements: Value[]): Value[] {
  const groups = new Map<number, number[]>();
  for (const [key, value] of elements as [number, number][]) groups.set(key, [...(groups.get(key) ?? []), value]);
  return [...groups].map(([key, values]) => [key, values.sort((a, b) => a - b)]);
}

function total(groups: Value[]): Value[] {
  return (groups as [number, number[]][]).map(([key, values]) => [key, sum(values)]);
}

/** The elements of a PCollection in an order that does not depend on how they were computed. */
export function canonical(elements: readonly Value[] | undefined): string[] | undefined {
  return elements?.map((element) => JSON.stringify(element)).sort();
}
