import { PipelineError, type StageHost } from "../../portability/stage-host/index.js";
import type { Receiver } from "../../portability/values/index.js";
import { SourceHead, type Clock, type HeadOperator } from "../runtime/index.js";
import type { SnapshotPart } from "../snapshot/index.js";
import type { Head } from "../topology/index.js";
import type { TaskPlacement } from "./deployment-plan.js";
import type { RestoredState } from "./restored-state.js";

export interface SourceParts {
  readonly host: StageHost;
  readonly clock: Clock;
  /** What the tasks go on from. */
  readonly from: RestoredState | undefined;
}

/**
 * The reader of a spout, as what makes a head of it. The host closes it if the task is never opened.
 *
 * @param parts given what is in snapshots of it
 * @param wake has the task look again whether there is something to read
 */
export async function openSource(
  { host, clock, from }: SourceParts,
  placement: TaskPlacement,
  { transformId, transformName }: Extract<Head, { kind: "read" }>,
  parts: SnapshotPart[],
  wake: () => void,
): Promise<(stage: Receiver) => HeadOperator> {
  const { component, index } = placement;
  if (host.openSource === undefined)
    throw new PipelineError("unsupported_feature", `"${transformName}" is a source, and its SDK reads none for a runner`);
  let head: SourceHead | undefined;
  const before = await from?.sourceMarkOf(placement);
  const reader = await host.openSource(component.stage, transformId, {
    index,
    count: component.parallelism,
    position: before?.position,
    now: () => clock.now(),
    available: () => head?.available(), // the first read comes anyway
  });
  return (stage) => {
    head = new SourceHead(reader, stage, clock, wake);
    parts.push(head.snapshot);
    return head;
  };
}
