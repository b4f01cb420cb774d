import type { Coder } from "../../portability/coders/coder.js";
import type { MergeAccumulators } from "../../portability/stage-host/index.js";
import type { Receiver } from "../../portability/values/index.js";
import { ElementSizer, WindowMergingHead, type HeadOperator } from "../runtime/index.js";
import type { SnapshotPart } from "../snapshot/index.js";
import { KeyGroups, keySpaceOf, spillingStore, type StateStore } from "../store/index.js";
import type { Component, Head } from "../topology/index.js";
import {
  GroupByKey,
  GroupIntoPanes,
  GroupsSnapshot,
  hasOnePane,
  PanesSnapshot,
  type Emit,
  type GroupingStrategy,
} from "../windows/index.js";
import { mergeOfGrouping } from "./merge-of-grouping.js";
import { mergesElsewhere, readGroupingStrategy } from "./read-grouping-strategy.js";
import { readWindowFn } from "./read-window-fn.js";
import { keyCoderOf, windowCoderOf } from "./stage-coders.js";
import type { StateParts } from "./state-parts.js";

export interface GroupingParts extends StateParts {
  /** How often others are asked to merge windows before that has failed. */
  readonly bundleAttempts: number;
}

/**
 * What groups the elements of a component.
 *
 * @param parts given what is in snapshots of it
 * @param late takes what came too late; undefined if nobody does
 */
export function newGroupingHead(
  state: GroupingParts,
  { stage }: Component,
  head: Extract<Head, { kind: "group-by-key" }>,
  parts: SnapshotPart[],
  receiver: Emit,
  late?: Receiver,
): HeadOperator {
  const { host, keyGroups, clock, bundleAttempts, hasCheckpoints } = state;
  const coder = host.coder(stage, head.coderId);
  const key = keyCoderOf(coder, head.transformName);
  const keys = keySpaceOf(key);
  const groups = new KeyGroups(keyGroups, keys);
  const { windowingStrategyId } = head;
  const merge = mergeOfGrouping(host, stage, head.output);
  const coders = { key, value: coder.components[1], window: windowCoderOf(host, stage, windowingStrategyId) };
  const panes = (strategy: GroupingStrategy): GroupIntoPanes => {
    const grouping = new GroupIntoPanes(strategy, keys, receiver, () => clock.now(), late, merge);
    if (hasCheckpoints) parts.push(new PanesSnapshot(grouping, coders, groups));
    return grouping;
  };
  const isElsewhere = mergesElsewhere(stage.components.windowingStrategies?.[windowingStrategyId]);
  const merger = isElsewhere ? host.windowMerger?.(stage, windowingStrategyId) : undefined;
  if (merger !== undefined)
    return new WindowMergingHead(merger, keys, bundleAttempts, (mergeWindows) =>
      panes(readGroupingStrategy(head, stage.components, undefined, mergeWindows)),
    );
  const strategy = readGroupingStrategy(head, stage.components, readWindowFn(host, stage, windowingStrategyId));
  if (!hasOnePane(strategy)) return panes(strategy);
  const store = newStore(state, groups, coder, merge);
  const grouping = new GroupByKey(strategy.timestampCombiner, keys, store, receiver, late);
  if (hasCheckpoints) parts.push(new GroupsSnapshot(grouping, coders, groups));
  return grouping;
}

function newStore(
  { budget, folder }: StateParts,
  groups: KeyGroups,
  { components: [keyCoder, valueCoder] }: Coder<unknown>,
  merge?: MergeAccumulators,
): StateStore {
  const sizer = new ElementSizer(() => valueCoder);
  return spillingStore({ groups, keyCoder, valueCoder, sizeOf: (value) => sizer.sizeOf(value), budget, folder, merge });
}
