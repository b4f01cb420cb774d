// The graph of one pipeline while its builder runs.
//
// G1. Every applied transform has a unique name: the path of its scopes. A derived name gets a number when it is taken;
//     an author's name used twice in one scope is an error, because state and functions are found by it.
// G2. Ids depend on the order of `apply` alone, so the same builder with the same options gives the same graph (D2).
import type { Coder } from "../../portability/coders/index.js";
import { PipelineError, renderElement } from "../../portability/stage-host/index.js";
import { authorSite } from "./author-site.js";
import type { DoFn } from "./do-fn.js";
import { PCollection } from "./pcollection.js";
import { Pipeline } from "./pipeline.js";
import type { Appliable, PTransform } from "./ptransform.js";
import { checkSideInputs, SIDE_INPUT_TAG } from "./side-input.js";
import type { KnownComposite, Primitive, TransformNode } from "./transform-node.js";
import type { WindowingStrategy } from "./windowing.js";

export class GraphBuilder {
  readonly root: TransformNode = newNode("", undefined);
  readonly pcollections: PCollection<unknown>[] = [];
  /** Names of transforms that must put something out before a run counts as done: the checks of `beamstorm/testing`. */
  readonly assertions: string[] = [];
  private scope: TransformNode = this.root;

  apply<In, Out>(input: In, appliable: Appliable<In, Out>): Out {
    const transform = toTransform(appliable);
    const site = authorSite();
    const node = newNode(this.uniqueName(transform, site), site);
    for (const [tag, pcollection] of this.pcollectionsOf(input, "in", transform)) node.inputs.set(tag, pcollection);
    const parent = this.scope;
    parent.children.push(node);
    this.scope = node;
    try {
      const output = transform.expand(input);
      if (output instanceof Promise)
        throw new PipelineError("expand_async", `transform "${node.uniqueName}" returned a promise: a pipeline is built synchronously`);
      for (const [tag, pcollection] of this.pcollectionsOf(output, "out", transform)) node.outputs.set(tag, pcollection);
      return output;
    } finally {
      this.scope = parent;
    }
  }

  /** Makes the transform that is being applied a leaf. Only called inside its `expand`, once. */
  setPrimitive(primitive: Primitive, inputs?: ReadonlyMap<string, PCollection<unknown>>): void {
    this.scope.primitive = primitive;
    if (inputs !== undefined) {
      this.scope.inputs.clear();
      for (const [tag, pcollection] of inputs) this.scope.inputs.set(tag, pcollection);
    }
    if (primitive.kind === "par-do") this.addSideInputs(primitive.doFn);
  }

  private addSideInputs({ kind, sideInputs = {} }: DoFn): void {
    checkSideInputs(this.currentName, sideInputs, kind === "splittable");
    for (const [name, { pcollection }] of Object.entries(sideInputs)) {
      this.checkOwn(pcollection, this.currentName);
      this.scope.inputs.set(SIDE_INPUT_TAG + name, pcollection);
    }
  }

  /** Says that runners may execute the composite that is being applied in their own way. */
  setKnown(known: KnownComposite): void {
    this.scope.known = known;
  }

  /** A new output of the transform that is being applied: bounded if its inputs are, unless told otherwise. */
  output<T>(coder: Coder<unknown>, windowing: WindowingStrategy, tag = "out", isBounded = this.inputsAreBounded()): PCollection<T> {
    const pcollection = new PCollection<T>(this, `pc${this.pcollections.length + 1}`, this.scope, coder, windowing, isBounded);
    this.pcollections.push(pcollection);
    this.scope.outputs.set(tag, pcollection);
    return pcollection;
  }

  private inputsAreBounded(): boolean {
    return [...this.scope.inputs].every(([tag, input]) => input.isBounded || tag.startsWith(SIDE_INPUT_TAG));
  }

  get currentName(): string {
    return this.scope.uniqueName;
  }

  private uniqueName<In, Out>(transform: PTransform<In, Out>, site: string | undefined): string {
    const prefix = this.scope === this.root ? "" : `${this.scope.uniqueName}/`;
    const taken = (name: string) => this.scope.children.find((child) => child.uniqueName === prefix + name);
    if (transform.name !== undefined) {
      const name = transform.name.replaceAll("/", "∕");
      const other = taken(name);
      if (other !== undefined)
        throw new PipelineError(
          "duplicate_name",
          `two transforms of one scope are named "${prefix}${name}" (${other.site ?? "?"} and ${site ?? "?"}); give one of them another name`,
        );
      return prefix + name;
    }
    const base = transform.defaultName;
    for (let n = 1; ; n++) {
      const name = n === 1 ? base : `${base} ${n}`;
      if (taken(name) === undefined) return prefix + name;
    }
  }

  private checkOwn(pcollection: PCollection<unknown>, transform: string): void {
    if (pcollection.graph !== this)
      throw new PipelineError(
        "foreign_pcollection",
        `transform "${transform}" was given a PCollection of another pipeline ` +
          `(made by "${pcollection.producer.uniqueName}"); only PCollections of the same pipeline can be combined`,
      );
  }

  private pcollectionsOf(value: unknown, single: string, transform: PTransform<never, unknown>): [string, PCollection<unknown>][] {
    if (value instanceof PCollection) {
      this.checkOwn(value, transform.name ?? transform.defaultName);
      return [[single, value]];
    }
    if (value === null || typeof value !== "object" || value instanceof Pipeline) return [];
    const found: [string, PCollection<unknown>][] = [];
    for (const [tag, item] of Object.entries(value))
      for (const [, pcollection] of this.pcollectionsOf(item, tag, transform)) found.push([tag, pcollection]);
    return found;
  }
}

function toTransform<In, Out>(appliable: Appliable<In, Out>): PTransform<In, Out> {
  if (typeof appliable === "function") return { defaultName: appliable.name === "" ? "composite" : appliable.name, expand: appliable };
  if (appliable === null || typeof appliable !== "object" || typeof appliable.expand !== "function")
    throw new PipelineError(
      "not_a_transform",
      `apply() takes a transform or a function, not ${renderElement(appliable)} (${authorSite() ?? "?"})`,
    );
  return appliable;
}

function newNode(uniqueName: string, site: string | undefined): TransformNode {
  return { uniqueName, children: [], inputs: new Map(), outputs: new Map(), site, primitive: undefined, known: undefined };
}
