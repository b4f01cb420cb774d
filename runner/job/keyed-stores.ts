import type { Coder } from "../../portability/coders/coder.js";
import { EvictedRecords, KeyedSnapshot, KeyedStore } from "../keyed/index.js";
import type { SnapshotPart } from "../snapshot/index.js";
import { KeyGroups, keySpaceOf, type SpillError } from "../store/index.js";
import type { Component, KeyedTransform } from "../topology/index.js";
import { rawCellCoders, readCellCoders, readKeyedSpec } from "./read-keyed-spec.js";
import { keyCoderOf, windowCoderOf } from "./stage-coders.js";
import type { StateParts } from "./state-parts.js";

export interface KeyedStoreParts extends StateParts {
  /** Told of what people should know. */
  readonly warn: (text: string) => void;
}

/**
 * State and timers of a component's stateful transform, for one task.
 *
 * @param parts given what is in snapshots of it
 */
export function newKeyedStore(
  { host, keyGroups, clock, budget, folder, hasCheckpoints, warn }: KeyedStoreParts,
  { id, stage }: Component,
  transform: KeyedTransform,
  parts: SnapshotPart[],
): KeyedStore {
  const coderOf = (coderId: string): Coder<unknown> => host.coder(stage, coderId);
  const key = keyCoderOf(coderOf(transform.coderId), transform.transformName);
  const keys = keySpaceOf(key);
  const byProtocol = host.keepsStateByProtocol === true;
  const spec = readKeyedSpec(transform, stage.components, keys, coderOf, byProtocol);
  const store = new KeyedStore(spec, () => clock.now());
  const window = windowCoderOf(host, stage, transform.windowingStrategyId);
  const cells = byProtocol
    ? rawCellCoders(spec)
    : readCellCoders(transform, stage.components, coderOf, (stateId) => host.stateCoders?.(stage, transform.transformId, stateId));
  const coders = { key, window, element: coderOf(transform.coderId), cells };
  const groups = new KeyGroups(keyGroups, keys);
  const full = ({ message }: SpillError): void =>
    warn(`state of ${id} that is gone on from is kept in memory, all of it, and none of it goes to disk any more: ${message}`);
  store.evicted = new EvictedRecords(store, { coders, groups, budget, folder, full });
  if (hasCheckpoints) parts.push(new KeyedSnapshot(store, coders, groups));
  return store;
}
