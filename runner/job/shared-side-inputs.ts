import type { Coder } from "../../portability/coders/coder.js";
import type { StageDescriptor } from "../../portability/stage-host/index.js";
import type { Receiver } from "../../portability/values/index.js";
import { globalWindows } from "../../portability/windows/index.js";
import { ElementSizer, SideInputBuffer, type Panes } from "../runtime/index.js";
import { NO_GROUP, type SnapshotPart } from "../snapshot/index.js";
import { SpillingList, type KeySpace } from "../store/index.js";
import type { Component, SideInputPort } from "../topology/index.js";
import { GroupIntoPanes, hasOnePane, PanesSnapshot } from "../windows/index.js";
import type { TaskPlacement } from "./deployment-plan.js";
import { isForeign, readGroupingStrategy } from "./read-grouping-strategy.js";
import { readWindowFn } from "./read-window-fn.js";
import type { RestoredState } from "./restored-state.js";
import { windowCoderOf } from "./stage-coders.js";
import type { StateParts } from "./state-parts.js";

/** A side input of a worker, with what is in snapshots of it: the first task of a component writes that for all. */
interface SharedSideInput {
  readonly buffer: SideInputBuffer;
  readonly parts: readonly SnapshotPart[];
  readonly writer: string;
}

/** Of each PCollection that tasks of a worker read as a side input, the one copy there. */
export class SharedSideInputs {
  private readonly sideInputs = new Map<string, SharedSideInput>();

  /** @param components of the whole topology */
  constructor(
    private readonly state: StateParts,
    private readonly components: readonly Component[],
  ) {}

  /** One for all tasks of this worker. */
  bufferOf(stage: StageDescriptor, port: SideInputPort): SideInputBuffer {
    let sideInput = this.sideInputs.get(port.pcollection);
    if (sideInput === undefined) this.sideInputs.set(port.pcollection, (sideInput = this.newSideInput(stage, port)));
    return sideInput.buffer;
  }

  /** What the task writes for all that share it. */
  partsWrittenBy({ component, index }: TaskPlacement): SnapshotPart[] {
    if (index > 0) return [];
    return [...this.sideInputs.values()].filter(({ writer }) => writer === component.id).flatMap(({ parts }) => parts);
  }

  /** Gives all of them what they had. */
  async restore(from: RestoredState): Promise<void> {
    for (const { buffer, parts, writer } of this.sideInputs.values())
      for (const part of parts) await from.restoreShared(writer, part, buffer.inbox.watermark);
  }

  private newSideInput(stage: StageDescriptor, { pcollection, windowingStrategyId }: SideInputPort): SharedSideInput {
    const { host, clock, budget, folder, hasCheckpoints } = this.state;
    const parts: SnapshotPart[] = [];
    const coderId = stage.components.pcollections?.[pcollection]?.coderId ?? "";
    const sizer = new ElementSizer(() => host.coder(stage, coderId));
    const newList = (): SpillingList<unknown> =>
      new SpillingList({ coder: host.coder(stage, coderId), sizeOf: (value) => sizer.sizeOf(value), budget, folder });
    const windowFn = readWindowFn(host, stage, windowingStrategyId);
    const strategy =
      windowFn === undefined
        ? undefined
        : readGroupingStrategy({ windowingStrategyId, transformName: pcollection }, stage.components, windowFn);
    // To other SDKs a side input is all elements of a window; where that never ends, its latest pane.
    const isWhole = isForeign(stage.components, stage.environmentId) && windowFn !== globalWindows;
    const hasPanes = strategy !== undefined && !hasOnePane(strategy) && !isWhole;
    const panes = (emit: Receiver): Panes => {
      const grouping = new GroupIntoPanes(strategy!, ONE_KEY, emit, () => clock.now());
      if (hasCheckpoints) {
        const coders = { key: NO_BYTES, value: host.coder(stage, coderId), window: windowCoderOf(host, stage, windowingStrategyId) };
        parts.push(new PanesSnapshot(grouping, coders, { of: () => NO_GROUP, keys: ONE_KEY }, `panes of side input ${pcollection}`, true));
      }
      return grouping;
    };
    const completeAfterMs = strategy?.trigger.kind === "never" ? strategy.allowedLatenessMs : 0;
    const buffer = new SideInputBuffer({ pcollection, windowFn, newList, completeAfterMs, ...(hasPanes ? { panes } : {}) });
    if (hasCheckpoints) {
      const coders = { element: host.coder(stage, coderId), window: windowCoderOf(host, stage, windowingStrategyId) };
      parts.unshift(buffer.snapshot(coders));
    }
    const reader = this.components.find(({ sideInputs }) => sideInputs.some((each) => each.pcollection === pcollection))!;
    return { buffer, parts, writer: reader.id };
  }
}

/** Of a side input, whose elements are all under one key. */
const ONE_KEY: KeySpace = { identify: () => 0, restore: () => undefined, hash: () => 0 };
/** Of that key. */
const NO_BYTES: Coder<unknown> = { urn: "", components: [], deterministic: true, encode: () => {}, decode: () => undefined };
