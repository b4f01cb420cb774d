// A copy of a pipeline's components under rewriting. The original is never changed, nor anything it holds.
//
// E1. An added id is new: one that is taken gets a number.
import type { beam } from "../../portability/protos/index.js";

export class ComponentsEditor {
  readonly transforms: Map<string, beam.pipeline.IPTransform>;
  readonly pcollections: Map<string, beam.pipeline.IPCollection>;
  readonly coders: Map<string, beam.pipeline.ICoder>;
  readonly windowingStrategies: Map<string, beam.pipeline.IWindowingStrategy>;

  constructor(private readonly original: beam.pipeline.IComponents) {
    this.transforms = new Map(Object.entries(original.transforms ?? {}));
    this.pcollections = new Map(Object.entries(original.pcollections ?? {}));
    this.coders = new Map(Object.entries(original.coders ?? {}));
    this.windowingStrategies = new Map(Object.entries(original.windowingStrategies ?? {}));
  }

  build(): beam.pipeline.IComponents {
    return {
      ...this.original,
      transforms: Object.fromEntries(this.transforms),
      pcollections: Object.fromEntries(this.pcollections),
      coders: Object.fromEntries(this.coders),
      windowingStrategies: Object.fromEntries(this.windowingStrategies),
    };
  }

  addTransform(id: string, transform: beam.pipeline.IPTransform): string {
    return add(this.transforms, id, transform);
  }

  addCoder(id: string, coder: beam.pipeline.ICoder): string {
    return add(this.coders, id, coder);
  }

  /** Adds a PCollection that is like another one in all but its coder. */
  addPCollection(id: string, like: string, coderId: string): string {
    return add(this.pcollections, id, { ...this.pcollections.get(like), uniqueName: id, coderId });
  }

  windowingStrategyOf(pcollection: string): beam.pipeline.IWindowingStrategy | undefined {
    return this.windowingStrategies.get(this.pcollections.get(pcollection)?.windowingStrategyId ?? "");
  }

  environmentUrn(environmentId: string): string {
    return this.original.environments?.[environmentId]?.urn ?? "";
  }

  /** The environment of a composite: its own, or the first among its parts. */
  environmentOf(id: string): string {
    const own = this.transforms.get(id)?.environmentId;
    if (own) return own;
    for (const descendant of this.descendants(id)) {
      const environmentId = this.transforms.get(descendant)?.environmentId;
      if (environmentId) return environmentId;
    }
    return "";
  }

  /** Whether no transform outside of a composite reads what its parts produce, other than its outputs. */
  innerPCollectionsArePrivate(id: string): boolean {
    const inside = new Set([id, ...this.descendants(id)]);
    const inner = new Set(this.innerPCollections(id));
    if (inner.size === 0) return true;
    for (const [other, transform] of this.transforms)
      if (!inside.has(other)) for (const input of Object.values(transform.inputs ?? {})) if (inner.has(input)) return false;
    return true;
  }

  removeSubtransforms(id: string): void {
    for (const pcollection of this.innerPCollections(id)) this.pcollections.delete(pcollection);
    for (const descendant of this.descendants(id)) this.transforms.delete(descendant);
    this.replaceSubtransforms(id, []);
  }

  replaceSubtransforms(id: string, subtransforms: string[]): void {
    this.transforms.set(id, { ...this.transforms.get(id), subtransforms });
  }

  private innerPCollections(id: string): string[] {
    const composite = this.transforms.get(id);
    const outer = new Set([...Object.values(composite?.inputs ?? {}), ...Object.values(composite?.outputs ?? {})]);
    const produced = this.descendants(id).flatMap((descendant) => Object.values(this.transforms.get(descendant)?.outputs ?? {}));
    return produced.filter((pcollection) => !outer.has(pcollection));
  }

  private descendants(id: string): string[] {
    const found = new Set<string>();
    const open = [...(this.transforms.get(id)?.subtransforms ?? [])];
    for (let next = open.shift(); next !== undefined; next = open.shift()) {
      if (found.has(next)) continue;
      found.add(next);
      open.push(...(this.transforms.get(next)?.subtransforms ?? []));
    }
    return [...found];
  }
}

/** E1 */
function add<T>(map: Map<string, T>, id: string, value: T): string {
  let free = id;
  for (let n = 2; map.has(free); n++) free = `${id}-${n}`;
  map.set(free, value);
  return free;
}
