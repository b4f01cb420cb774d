import type { LogCursor, RecordLog, Address } from "../store/index.js";

/** How records on disk are told apart and written down. */
export interface FrozenParts {
  readonly log: RecordLog;
  /** Whether a record is in use where it is, and has left memory in `epoch`. */
  isOf(epoch: number, address: Address, record: Uint8Array): boolean;
  writeRecord(record: Uint8Array): void;
}

/**
 * The records on disk that belong into a snapshot: those that had changed before they left memory, in the epoch that is over. They lie at the end of
 * the log, so nothing is kept of each of them.
 */
export class FrozenRecords {
  private readonly cursors: LogCursor[];
  private at = 0;

  constructor(
    private readonly parts: FrozenParts,
    readonly epoch: number,
  ) {
    this.cursors = parts.log.cut();
  }

  /** Whether a record that has left in an epoch is still to be written. */
  isPending(epoch: number, address: Address): boolean {
    return epoch === this.epoch && this.cursors.some((cursor) => this.parts.log.isAhead(cursor, address));
  }

  /** Writes them until none is left, then true, or until `pause` says so, then false. */
  write(pause: () => boolean): boolean {
    const { cursors, parts, epoch } = this;
    while (this.at < cursors.length) {
      if (pause()) return false;
      const cursor = cursors[this.at];
      if (!cursor.next()) this.at++;
      else if (parts.isOf(epoch, cursor.address, cursor.record)) parts.writeRecord(cursor.record);
    }
    return true;
  }
}
