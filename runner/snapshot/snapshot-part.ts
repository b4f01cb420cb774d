// What heads of tasks keep, in the terms of checkpoints: parts that consist of records.
//
// S1. A part is frozen between bundles, all parts of a task at once. What has changed by then is in the snapshot, nothing of what changes later is,
//     whenever it is written.
// S2. A snapshot holds the records that have changed since the one before: together with it, and those before that, it is the state.
// S3. Records belong to key groups, so that they can go to other tasks when a run goes on with another number of these; what belongs to no key
//     has {@link NO_GROUP}.
import type { ByteWriter } from "../../portability/coders/index.js";
import type { Timestamp } from "../../portability/values/index.js";

/** The key group of what belongs to no key. */
export const NO_GROUP = -1;
/** The key group of what all tasks share. */
export const SHARED_GROUP = -2;

/** Takes the records of one part. */
export interface RecordSink {
  /** Starts a record: write its id, then call {@link beginPayload}. */
  beginPut(group: number): ByteWriter;
  /** The same for one whose payload is added to those that the record has already. */
  beginAppend(group: number): ByteWriter;
  /** The id is written: write the payload, then call {@link end}. */
  beginPayload(): void;
  /** A record that is there no more: write its id, then call {@link end}. In one snapshot a record of the same id that is there counts, not this. */
  beginDelete(group: number): ByteWriter;
  /** The same for all records whose ids begin with what is written; those do not come again. */
  beginDrop(group: number): ByteWriter;
  end(): void;
}

/** A record as it was written: its id, and its payloads in the order of writing. */
export interface StateRecord {
  readonly id: Uint8Array;
  readonly payloads: readonly Uint8Array[];
}

/** A section, and where it lies on disk, if it does: in a file that is never changed, at a byte of it. */
export interface StoredSection {
  readonly bytes: Uint8Array;
  readonly file?: string;
  readonly at?: number;
}

/** Some state of a task that is taken down as a whole. */
export interface SnapshotPart {
  /** Unique in its task, and the same in every run of the pipeline. */
  readonly name: string;
  /** Whether every task has all of it: then the component's first one writes it, and all are restored from that. */
  readonly isShared?: boolean;
  /** The changes so far are to be written to `sink` (S1), as part of the epoch. */
  freeze(sink: RecordSink, epoch: number): void;
  /** Writes frozen changes until none is left, then true, or until `pause` says so, then false. */
  write(pause: () => boolean): boolean;
  /**
   * Takes back the records of one key group; called before anything is processed, once for each group that has any.
   *
   * @param watermark the input watermark at which they were taken down
   */
  restore(records: Iterable<StateRecord>, watermark: Timestamp): void;
  /**
   * The same for a part that takes records as they lie in the sections of the snapshots, of which the earliest comes first (newest-first.ts); where it
   * is there, it is called instead. The bytes are its own until it returns. What it leaves in files counts as settled.
   */
  restoreSections?(snapshots: readonly (readonly StoredSection[])[], watermark: Timestamp): void;
  /** What was restored is where it was: it need not be written again before it changes. */
  settle(): void;
}
