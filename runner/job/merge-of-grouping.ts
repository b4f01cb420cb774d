import type { MergeAccumulators, StageDescriptor, StageHost } from "../../portability/stage-host/index.js";
import { COMBINE_COMPONENT } from "../../portability/urns/index.js";

/**
 * What merges the values that a grouping keeps: that of the combine behind it, if its groups are accumulators that nothing else reads, and the host
 * has one.
 *
 * @param output the PCollection of the groups
 */
export function mergeOfGrouping(host: StageHost, stage: StageDescriptor, output: string): MergeAccumulators | undefined {
  if (stage.outputs.includes(output)) return undefined;
  const { transforms } = stage.components;
  const readers = stage.transformIds.filter((id) => Object.values(transforms?.[id]?.inputs ?? {}).includes(output));
  const [reader] = readers;
  if (readers.length !== 1 || transforms?.[reader]?.spec?.urn !== COMBINE_COMPONENT.COMBINE_PER_KEY_MERGE_ACCUMULATORS) return undefined;
  return host.merger?.(stage, reader);
}
