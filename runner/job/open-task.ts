import type { StageDescriptor } from "../../portability/stage-host/index.js";
import type { Receiver, Window } from "../../portability/values/index.js";
import { KeyedHead } from "../keyed/index.js";
import {
  LateOutputHead,
  RelayHead,
  SideInputHead,
  SplittableHead,
  StableInputHead,
  type HeadOperator,
  type SideInputBuffer,
  type Task,
} from "../runtime/index.js";
import type { SnapshotPart } from "../snapshot/index.js";
import type { Component } from "../topology/index.js";
import type { Emit } from "../windows/index.js";
import type { TaskPlacement } from "./deployment-plan.js";
import { newGroupingHead, type GroupingParts } from "./grouping-heads.js";
import { newKeyedStore, type KeyedStoreParts } from "./keyed-stores.js";
import type { DealtResiduals } from "./residual-dealing.js";
import { openSource, type SourceParts } from "./source-heads.js";
import { isKeyed, keptCodersOf } from "./stage-coders.js";

/** A task, and what its heads are to have. */
export interface DeployedTask {
  readonly placement: TaskPlacement;
  readonly task: Task;
  readonly sideInputs: readonly SideInputBuffer[];
  /** What it keeps beyond bundles; all of it is here once the task is open. */
  readonly parts: SnapshotPart[];
  readonly dealt: DealtResiduals | undefined;
}

/** What heads of all kinds are made with. */
export interface HeadParts extends GroupingParts, KeyedStoreParts, SourceParts {}

/** Opens the executor of a task, behind the heads that its component needs: user code is set up when it resolves. */
export async function openTask(
  heads: HeadParts,
  { placement, task, sideInputs, parts, dealt }: DeployedTask,
  wake: () => void,
): Promise<void> {
  const { host, hasCheckpoints } = heads;
  const { component } = placement;
  const { stage, head } = component;
  const stateful = head.kind === "keyed" ? head : component.stateful;
  const keyed = stateful === undefined ? undefined : newKeyedStore(heads, component, stateful, parts);
  const residuals = dealt?.residuals;
  const source = head.kind === "read" ? await openSource(heads, placement, head, parts, wake) : undefined;
  const delivers = (next: Emit, late: Receiver): HeadOperator =>
    residuals !== undefined
      ? new SplittableHead(residuals, next, wake, dealt?.peers)
      : (source?.(next) ?? headOf(heads, component, next, late, parts));
  const isStable = component.requiresStableInput === true && hasCheckpoints;
  const headFor = (next: Emit, late: Receiver): HeadOperator => {
    if (!isStable) return delivers(next, late);
    const stable = new StableInputHead(placement.id, next, keptCodersOf(heads, component), (inner) => delivers(inner, late));
    parts.push(stable.snapshot);
    return stable;
  };
  let keyedHead: KeyedHead | undefined;
  const waitingOptions = {
    wake,
    latenessMs: latenessOf(stage, head.output),
    stateNeedsFrom: () => keyedHead?.nextInstant ?? residuals?.needsFrom() ?? Infinity,
  };
  const waitingHead = (next: Receiver, late: Receiver): HeadOperator => {
    const waiting = new SideInputHead(sideInputs, next, (inner) => headFor(inner, late), waitingOptions);
    if (hasCheckpoints) parts.push(waiting.snapshot(placement.id, keptCodersOf(heads, component)));
    return waiting;
  };
  const isReady = sideInputs.length === 0 ? undefined : (window: Window) => sideInputs.every((sideInput) => sideInput.isReady(window));
  await task.open({
    open: () => host.open(stage, task.contextFor(stage.outputs, { keyed, residuals })),
    input: head.output,
    late: head.kind === "group-by-key" ? head.late : undefined,
    head: sideInputs.length > 0 ? waitingHead : isRelay(component) && !isStable ? undefined : headFor,
    keyed:
      keyed === undefined
        ? undefined
        : (next, executor) => (keyedHead = new KeyedHead(keyed, next, executor, { isReady, delivers: head.kind === "keyed" })),
    isKeyed: isKeyed(head),
  });
}

function headOf(state: GroupingParts, component: Component, receiver: Emit, late: Receiver, parts: SnapshotPart[]): HeadOperator {
  const { head } = component;
  if (head.kind !== "group-by-key") return new RelayHead(receiver);
  if (head.late === undefined) return newGroupingHead(state, component, head, parts, receiver);
  return new LateOutputHead(late, (waiting) => newGroupingHead(state, component, head, parts, receiver, waiting));
}

/** Whether elements go to the stage as they come. */
function isRelay({ head }: Component): boolean {
  return head.kind !== "group-by-key" && head.kind !== "read" && head.kind !== "splittable";
}

function latenessOf({ components }: StageDescriptor, pcollection: string): number {
  const strategy = components.windowingStrategies?.[components.pcollections?.[pcollection]?.windowingStrategyId ?? ""];
  return Number(strategy?.allowedLateness ?? 0);
}
