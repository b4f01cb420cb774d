import { ByteReader, ByteWriter, type Coder } from "../../portability/coders/index.js";
import { IteratedGroups, type Groups } from "./groups.js";
import { HeapBag } from "./heap-bag.js";
import type { KeyGroups } from "./key-groups.js";
import type { StateKey } from "./key-space.js";
import type { MemoryBudget, Spillable } from "./memory-budget.js";
import type { MergedTables } from "./merged-tables.js";
import { MergingBag, type MergingParts } from "./merging-bag.js";
import { compactRuns, mergeRuns } from "./merge-runs.js";
import type { RunFile } from "./run-file.js";
import { appendSegment, SEGMENT_BYTES } from "./segment.js";
import type { SpillFolder } from "./spill-folder.js";
import { decodeValues, SpilledValues } from "./spilled-values.js";
import type { BagCells, Merge } from "./state-store.js";

/** What bags of one task share. */
export interface SpillParts {
  readonly groups: KeyGroups;
  readonly keyCoder: Coder<unknown>;
  readonly valueCoder: Coder<unknown>;
  /** Estimated bytes of a value in memory. */
  readonly sizeOf: (value: unknown) => number;
  readonly budget: MemoryBudget;
  readonly folder: SpillFolder;
  readonly splitAt: number;
  /** Merges values of a key that are in memory; undefined if they are kept as they come. */
  readonly merge?: Merge<unknown> | undefined;
  readonly tables: MergedTables<unknown>;
}

/** Growth that is told to the budget at once. */
const REPORT_BYTES = 128 << 10;
/** Files that are merged at a time; with more, some are made one first. */
const MAX_RUNS = 64;

/**
 * A bag that gives its memory back on demand: what it holds goes to a run, sorted by key, and all runs are merged when the bag is
 * taken. Until it has to spill it is a {@link HeapBag}, or a {@link MergingBag}, and nothing else.
 *
 * - B1. A key's values keep the order of their addition: runs are merged in the order of their making.
 * - B2. The bag's files last as long as anybody holds on to a group of it; see {@link RunFile}.
 */
export class SpillingBag<V> implements BagCells<V>, Spillable {
  private readonly heap: HeapBag<V> | MergingBag<V>;
  private runs: RunFile[] = [];
  private held = 0;
  private unreported = 0;

  constructor(private readonly parts: SpillParts) {
    const { groups, splitAt, merge, tables } = parts;
    const merging = merge === undefined ? undefined : ({ groups, splitAt, merge, tables } as MergingParts<unknown> as MergingParts<V>);
    this.heap = merging === undefined ? new HeapBag<V>(groups, splitAt) : new MergingBag<V>(merging);
    parts.budget.add(this);
  }

  beforeSpill: () => void = () => {};

  get isMerged(): boolean {
    return this.runs.length === 0 && this.heap instanceof MergingBag && this.heap.isMerged;
  }

  get heldBytes(): number {
    return this.held;
  }

  add(key: StateKey, value: V): void {
    if (!this.heap.add(key, value)) return;
    this.unreported += this.parts.sizeOf(value);
    if (this.unreported >= REPORT_BYTES) this.report();
  }

  /** Goes through all of the bag's files if it has any: only for bags that are small. */
  get(key: StateKey): Iterable<V> {
    if (this.runs.length === 0) return this.heap.get(key);
    for (const [other, values] of this.entries()) if (other === key) return values;
    return [];
  }

  entries(): IterableIterator<[StateKey, Iterable<V>]> {
    if (this.runs.length === 0) return this.heap.entries();
    this.spill();
    return this.merged(this.runs);
  }

  takeAll(): Groups<V> {
    if (this.runs.length === 0) {
      const all = this.heap.takeAll();
      this.forget();
      return all;
    }
    this.spill();
    const { runs } = this;
    this.runs = [];
    return new IteratedGroups(this.merged(runs, true));
  }

  spill(): void {
    if (this.isMerged) this.beforeSpill();
    const { groups, keyCoder, valueCoder, folder } = this.parts;
    const { keys } = groups;
    const writer = new ByteWriter();
    const sorted: { readonly hash: number; readonly key: Buffer; readonly values: Iterable<V> }[] = [];
    for (const [id, values] of this.heap.takeAll()) {
      writer.reset();
      keyCoder.encode(keys.restore(id), writer, true);
      sorted.push({ hash: keys.hash(id), key: Buffer.from(writer.view()), values });
    }
    if (sorted.length > 0) {
      sorted.sort((a, b) => a.hash - b.hash || Buffer.compare(a.key, b.key));
      const run = folder.newFile();
      for (const { hash, key, values } of sorted) writeValues(run, hash, key, values, valueCoder, writer);
      run.flush();
      this.runs.push(run);
      if (this.runs.length > MAX_RUNS) this.compact();
    }
    this.forget();
  }

  /** The bag is empty from now on, and not to be used again. */
  drop(): void {
    this.forget();
    this.parts.budget.remove(this);
    for (const run of this.runs) this.parts.folder.release(run);
    this.runs = [];
  }

  private *merged(runs: readonly RunFile[], taken = false): IterableIterator<[StateKey, Iterable<V>]> {
    const { groups, keyCoder, folder } = this.parts;
    const valueCoder = this.parts.valueCoder as Coder<V>;
    for (const { key, segments, small } of mergeRuns(runs)) {
      const id = groups.keys.identify(keyCoder.decode(new ByteReader(key), true));
      if (small === undefined) yield [id, new SpilledValues(segments, valueCoder)];
      else yield [id, segments.flatMap(({ count }, i) => decodeValues(valueCoder, small[i], count))];
    }
    if (taken) for (const run of runs) folder.release(run);
  }

  private compact(): void {
    const { folder } = this.parts;
    const whole = folder.newFile();
    compactRuns(this.runs, whole);
    for (const run of this.runs) folder.release(run);
    this.runs = [whole];
  }

  private report(): void {
    const bytes = this.unreported;
    this.unreported = 0;
    this.held += bytes;
    this.parts.budget.change(bytes);
  }

  /** Nothing is in memory any more. */
  private forget(): void {
    const { held } = this;
    this.held = 0;
    this.unreported = 0;
    this.parts.budget.change(-held);
  }
}

/** G2 of segment.ts */
function writeValues(
  run: RunFile,
  hash: number,
  key: Uint8Array,
  values: Iterable<unknown>,
  coder: Coder<unknown>,
  writer: ByteWriter,
): void {
  writer.reset();
  let count = 0;
  for (const value of values) {
    coder.encode(value, writer, true);
    count++;
    if (writer.length < SEGMENT_BYTES) continue;
    appendSegment(run, hash, key, count, Buffer.from(writer.view()));
    writer.reset();
    count = 0;
  }
  if (count > 0) appendSegment(run, hash, key, count, Buffer.from(writer.view()));
}
