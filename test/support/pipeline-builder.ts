// Writes pipeline protos for tests of the runner: one method a transform, ids equal to names, toy functions by name.
import { beam } from "../../portability/protos/index.js";

export type Toy = "increment" | "spread" | "drop odd" | "fold" | "key by mod 3" | "split by parity" | "fail";

interface Place {
  environment?: string;
  /** The composite it belongs to; root by default. */
  parent?: string;
}

const utf8 = new TextEncoder();

export class PipelineBuilder {
  readonly transforms: Record<string, beam.pipeline.IPTransform> = {};
  readonly pcollections: Record<string, beam.pipeline.IPCollection> = {};
  readonly roots: string[] = [];
  readonly requirements: string[] = [];
  readonly coders: Record<string, beam.pipeline.ICoder> = {
    bytes: { spec: { urn: "beam:coder:bytes:v1" } },
    any: { spec: { urn: "test:coder:any" } },
    values: { spec: { urn: "beam:coder:iterable:v1" }, componentCoderIds: ["any"] },
    kv: { spec: { urn: "beam:coder:kv:v1" }, componentCoderIds: ["any", "any"] },
    grouped: { spec: { urn: "beam:coder:kv:v1" }, componentCoderIds: ["any", "values"] },
  };
  readonly windowingStrategies: Record<string, beam.pipeline.IWindowingStrategy> = {
    global: { windowFn: { urn: "beam:window_fn:global_windows:v1" }, mergeStatus: 1, trigger: { default: {} } },
  };
  readonly environments: Record<string, beam.pipeline.IEnvironment> = {
    embedded: { urn: "beamstorm:env:embedded:v1" },
    other: { urn: "beamstorm:env:embedded:v1" },
    docker: { urn: "beam:env:docker:v1" },
  };

  impulse(name = "impulse", place: Place = {}): string {
    return this.primitive(name, "beam:transform:impulse:v1", [], "bytes", place);
  }

  /** Reads a source by its URN, one of a program unless told otherwise. */
  read(name: string, { urn = "beamstorm:source:program:v1", parallelism = "", environment = "embedded" } = {}): string {
    const id = this.primitive(name, "beam:transform:read:v1", [], "any", { environment });
    const transform = this.transforms[name];
    transform.spec!.payload = beam.pipeline.ReadPayload.encode({ source: { urn }, isBounded: 1 }).finish();
    transform.environmentId = environment;
    if (parallelism !== "") transform.annotations = { "beamstorm:annotation:parallelism:v1": utf8.encode(parallelism) };
    return id;
  }

  parDo(name: string, input: string, toy: Toy = "increment", place: Place = {}): string {
    return this.parDoOutputs(name, input, toy, 1, toy === "key by mod 3" ? "kv" : "any", place)[0];
  }

  /** Output tags are numbers, the main one is `0`. */
  parDoOutputs(name: string, input: string, toy: Toy, outputs: number, coder = "any", place: Place = {}): string[] {
    const ids = Array.from({ length: outputs }, (_, i) => this.pcollection(`${name}.${i}`, coder));
    const payload = beam.pipeline.ParDoPayload.encode({ doFn: { urn: "test:fn", payload: utf8.encode(toy) } }).finish();
    this.add(
      name,
      { spec: { urn: "beam:transform:pardo:v1", payload }, environmentId: place.environment ?? "embedded" },
      [input],
      ids,
      place,
    );
    return ids;
  }

  /** Adds to every element the sum of each side input. */
  parDoWithSideInputs(name: string, input: string, sideInputs: readonly string[], place: Place = {}): string {
    const id = this.pcollection(`${name}.0`, "any");
    const ports = sideInputs.map((pcollection, i) => [`side${i}`, pcollection] as const);
    const access = { accessPattern: { urn: "beam:side_input:iterable:v1" } };
    const payload = beam.pipeline.ParDoPayload.encode({
      doFn: { urn: "test:fn", payload: utf8.encode("fold") },
      sideInputs: Object.fromEntries(ports.map(([tag]) => [tag, access])),
    }).finish();
    const transform = { spec: { urn: "beam:transform:pardo:v1", payload }, environmentId: place.environment ?? "embedded" };
    this.add(name, transform, [input], [id], place);
    Object.assign(this.transforms[name].inputs!, Object.fromEntries(ports));
    return id;
  }

  windowInto(name: string, input: string, place: Place = {}): string {
    const coder = this.pcollections[input].coderId!;
    const id = this.pcollection(`${name}.0`, coder);
    this.add(
      name,
      { spec: { urn: "beam:transform:window_into:v1" }, environmentId: place.environment ?? "embedded" },
      [input],
      [id],
      place,
    );
    return id;
  }

  groupByKey(name: string, input: string, place: Place = {}): string {
    return this.primitive(name, "beam:transform:group_by_key:v1", [input], "grouped", place);
  }

  flatten(name: string, inputs: string[], place: Place = {}): string {
    return this.primitive(name, "beam:transform:flatten:v1", inputs, this.pcollections[inputs[0]]?.coderId ?? "any", place);
  }

  reshuffle(name: string, input: string, place: Place = {}): string {
    return this.primitive(name, "beam:transform:reshuffle:v1", [input], this.pcollections[input].coderId!, place);
  }

  /** Sums per key. `expanded`: with the subtransforms an SDK would give it. */
  combinePerKey(name: string, input: string, expanded = true, environment = "embedded"): string {
    const output = this.pcollection(`${name}.0`, "kv");
    const payload = beam.pipeline.CombinePayload.encode({ combineFn: { urn: "test:sum" }, accumulatorCoderId: "any" }).finish();
    const spec = { urn: "beam:transform:combine_per_key:v1", payload };
    this.add(name, { spec, environmentId: environment }, [input], [output], {});
    if (expanded) {
      const grouped = this.groupByKey(`${name}/GroupByKey`, input, { parent: name });
      const grouping = { spec: { urn: "beam:transform:combine_grouped_values:v1", payload }, environmentId: environment };
      this.add(`${name}/Combine`, grouping, [grouped], [output], { parent: name });
    }
    return output;
  }

  composite(name: string, inputs: string[], outputs: string[], children: string[], place: Place = {}): void {
    this.add(name, { subtransforms: children }, inputs, outputs, place);
  }

  pcollection(id: string, coderId: string): string {
    this.pcollections[id] = { uniqueName: id, coderId, isBounded: 2, windowingStrategyId: "global" };
    return id;
  }

  add(name: string, transform: beam.pipeline.IPTransform, inputs: string[], outputs: string[], { parent }: Place): void {
    const ports = (ids: string[]): Record<string, string> => Object.fromEntries(ids.map((id, i) => [String(i), id]));
    this.transforms[name] = { uniqueName: name, ...transform, inputs: ports(inputs), outputs: ports(outputs) };
    if (parent === undefined) this.roots.push(name);
    else this.transforms[parent].subtransforms = [...(this.transforms[parent].subtransforms ?? []), name];
  }

  build(): beam.pipeline.IPipeline {
    const { transforms, pcollections, coders, windowingStrategies, environments, roots, requirements } = this;
    return {
      components: { transforms, pcollections, coders, windowingStrategies, environments },
      rootTransformIds: roots,
      requirements,
    };
  }

  private primitive(name: string, urn: string, inputs: string[], coder: string, place: Place): string {
    const id = this.pcollection(`${name}.0`, coder);
    this.add(name, { spec: { urn } }, inputs, [id], place);
    return id;
  }
}
