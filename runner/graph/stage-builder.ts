import type { FusedStage, StageHead } from "./fused-pipeline.js";
import type { LeafTransform } from "./leaf-transforms.js";

/** A stage while transforms still join it. */
export class StageBuilder {
  /** Open until the first transform of an SDK joins. */
  environmentId: string | undefined;
  readonly transforms: LeafTransform[] = [];
  stateful: LeafTransform | undefined;
  readonly sideInputs = new Set<string>();
  readonly outputs = new Set<string>();

  constructor(
    readonly id: string,
    readonly head: StageHead,
  ) {}

  accepts(environmentId: string): boolean {
    return this.environmentId === undefined || this.environmentId === environmentId;
  }

  build(): FusedStage {
    const { id, head, transforms } = this;
    return {
      id,
      head,
      environmentId: this.environmentId ?? "",
      transforms,
      stateful: this.stateful,
      sideInputs: [...this.sideInputs],
      outputs: [...this.outputs],
      requiresStableInput: transforms.some((transform) => transform.requiresStableInput),
    };
  }
}
