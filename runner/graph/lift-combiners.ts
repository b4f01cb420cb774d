// Combiner lifting: a combine per key combines what it can before the elements travel to the task of their key.
//
//   in ─ combine_per_key ─ out   becomes
//   in ─ precombine ─ accumulators ─ group_by_key ─ grouped ─ merge_accumulators ─ merged ─ extract_outputs ─ out
//
// C1. Every part has the composite's unique name, payload and environment: the SDK finds the combine function by them.
// C2. Lifted only where panes do not depend on the number of elements, and where windows do not merge, or are sessions of our own SDK: it
//     combines before they have merged, and the grouping merges what it gets of them. The elements of a bundle are there together, so that
//     they may as well have come merged. Nor where panes accumulate: each would merge the accumulators of the ones before it again, which
//     merging may have changed.
// C3. Otherwise the composite stays what its SDK expanded it to; if that is nothing, grouping and a combine of the
//     grouped values. After this phase no leaf is a combine_per_key.
import type { beam } from "../../portability/protos/index.js";
import { BEAMSTORM, SESSION_WINDOW_FN } from "../../portability/urns/index.js";
import { decodeCombinePayload } from "./combine-payload.js";
import { ComponentsEditor } from "./components-editor.js";
import { triggerAllowsLifting } from "./lifting-triggers.js";
import {
  COMBINE_GROUPED_VALUES,
  COMBINE_PER_KEY,
  EXTRACT_OUTPUTS,
  GROUP_BY_KEY,
  MERGE_ACCUMULATORS,
  PRECOMBINE,
} from "./transform-kinds.js";

/** MergeStatus.NON_MERGING. */
const NON_MERGING = 1;
/** MergeStatus.NEEDS_MERGE. */
const NEEDS_MERGE = 2;
/** AccumulationMode.ACCUMULATING. */
const ACCUMULATING = 2;
const KV = "beam:coder:kv:v1";
const ITERABLE = "beam:coder:iterable:v1";

export function liftCombiners(pipeline: beam.pipeline.IPipeline): beam.pipeline.IPipeline {
  const editor = new ComponentsEditor(pipeline.components ?? {});
  // The map changes on the way: what a rewrite removes is not visited, and what it adds is no combine per key.
  for (const [id, transform] of editor.transforms)
    if (transform.spec?.urn === COMBINE_PER_KEY) new CombineRewrite(editor, id, transform).apply();
  return { ...pipeline, components: editor.build() };
}

class CombineRewrite {
  private readonly input: string;
  private readonly output: string;
  private readonly accumulatorCoderId: string;

  constructor(
    private readonly editor: ComponentsEditor,
    private readonly id: string,
    private readonly composite: beam.pipeline.IPTransform,
  ) {
    this.input = Object.values(composite.inputs ?? {})[0] ?? "";
    this.output = Object.values(composite.outputs ?? {})[0] ?? "";
    this.accumulatorCoderId =
      decodeCombinePayload(composite.uniqueName ?? id, composite.spec?.payload ?? new Uint8Array(0)).accumulatorCoderId ?? "";
  }

  apply(): void {
    if (this.liftable()) this.lift();
    else if (!this.composite.subtransforms?.length) this.expand();
  }

  private liftable(): boolean {
    const { editor, composite } = this;
    const single = Object.keys(composite.inputs ?? {}).length === 1 && Object.keys(composite.outputs ?? {}).length === 1;
    const strategy = editor.windowingStrategyOf(this.input);
    return (
      single &&
      this.inputCoder()?.spec?.urn === KV &&
      editor.coders.has(this.accumulatorCoderId) &&
      strategy !== undefined &&
      (strategy.mergeStatus === NON_MERGING || this.hasSessions(strategy)) &&
      triggerAllowsLifting(strategy.trigger) &&
      strategy.accumulationMode !== ACCUMULATING &&
      editor.environmentOf(this.id) !== "" &&
      editor.innerPCollectionsArePrivate(this.id)
    );
  }

  private hasSessions({ mergeStatus, windowFn }: beam.pipeline.IWindowingStrategy): boolean {
    const isOurs = this.editor.environmentUrn(this.editor.environmentOf(this.id)) === BEAMSTORM.EMBEDDED_ENVIRONMENT;
    return isOurs && mergeStatus === NEEDS_MERGE && windowFn?.urn === SESSION_WINDOW_FN.PROPERTIES;
  }

  private lift(): void {
    const { editor, id } = this;
    const environmentId = editor.environmentOf(id);
    editor.removeSubtransforms(id);
    const accumulatorKv = this.addKvCoder("accumulator_kv", this.accumulatorCoderId);
    const groupedKv = this.addKvCoder(
      "grouped_accumulator_kv",
      editor.addCoder(`${id}/accumulators`, { spec: { urn: ITERABLE }, componentCoderIds: [this.accumulatorCoderId] }),
    );
    const accumulators = editor.addPCollection(`${id}/accumulators`, this.input, accumulatorKv);
    const grouped = editor.addPCollection(`${id}/grouped`, this.output, groupedKv);
    const merged = editor.addPCollection(`${id}/merged`, this.output, accumulatorKv);
    editor.replaceSubtransforms(id, [
      this.addPart("precombine", PRECOMBINE, this.input, accumulators, environmentId),
      this.addPart("group_by_key", GROUP_BY_KEY, accumulators, grouped),
      this.addPart("merge_accumulators", MERGE_ACCUMULATORS, grouped, merged, environmentId),
      this.addPart("extract_outputs", EXTRACT_OUTPUTS, merged, this.output, environmentId),
    ]);
  }

  /** C3, for a composite that its SDK left to the runner. */
  private expand(): void {
    const { editor, id } = this;
    const valueCoderId = this.inputCoder()?.componentCoderIds?.[1] ?? "";
    const groupedKv = this.addKvCoder(
      "grouped_kv",
      editor.addCoder(`${id}/values`, { spec: { urn: ITERABLE }, componentCoderIds: [valueCoderId] }),
    );
    const grouped = editor.addPCollection(`${id}/grouped`, this.output, groupedKv);
    editor.replaceSubtransforms(id, [
      this.addPart("group_by_key", GROUP_BY_KEY, this.input, grouped),
      this.addPart("combine_grouped_values", COMBINE_GROUPED_VALUES, grouped, this.output, editor.environmentOf(id)),
    ]);
  }

  private inputCoder(): beam.pipeline.ICoder | undefined {
    return this.editor.coders.get(this.editor.pcollections.get(this.input)?.coderId ?? "");
  }

  /** A coder of the input's keys and other values. */
  private addKvCoder(name: string, valueCoderId: string): string {
    const keyCoderId = this.inputCoder()?.componentCoderIds?.[0] ?? "";
    return this.editor.addCoder(`${this.id}/${name}`, { spec: { urn: KV }, componentCoderIds: [keyCoderId, valueCoderId] });
  }

  /** C1. Without an environment it is the runner's own, and needs no payload. */
  private addPart(name: string, urn: string, input: string, output: string, environmentId = ""): string {
    return this.editor.addTransform(`${this.id}/${name}`, {
      uniqueName: this.composite.uniqueName,
      spec: environmentId === "" ? { urn } : { urn, payload: this.composite.spec?.payload },
      inputs: { in: input },
      outputs: { out: output },
      environmentId,
    });
  }
}
