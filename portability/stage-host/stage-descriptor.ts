import type { beam } from "../protos/index.js";

/**
 * A fused stage: the part of a Beam pipeline that one executor runs, in the terms of `ProcessBundleDescriptor`.
 * `inputs` and `outputs` are PCollection ids; a remote host adds gRPC ports for them, an embedded host calls functions.
 */
export interface StageDescriptor {
  readonly id: string;
  readonly environmentId: string;
  /** PCollections that the runner feeds, each read by transforms of the stage. */
  readonly inputs: readonly string[];
  /** PCollections that transforms of the stage read as side inputs, each once; which reads what, and how, is in their payloads. */
  readonly sideInputs: readonly string[];
  /** PCollections that the runner takes. */
  readonly outputs: readonly string[];
  /** Transforms of the stage, producers before consumers. */
  readonly transformIds: readonly string[];
  /** The pipeline's components, after the runner's rewrites; shared by all stages. */
  readonly components: beam.pipeline.IComponents;
}
