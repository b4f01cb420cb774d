import type { RecordSink } from "./snapshot-part.js";

/** A record of state that is written down as a whole. */
export interface Changing {
  /** The epoch in which it changed and was not written down since; 0 if there is none. Of the {@link ChangeLog} alone. */
  changedIn: number;
}

/**
 * Which records of a part have changed since its last snapshot, and the writing of those, while they change on.
 *
 * - C1. {@link touch} comes before each change; for a record that is new or is about to go, too.
 * - C2. A record that changes after it was frozen and before it was written is written first, as it was: so nothing is copied.
 * - C3. A touch costs a comparison, but for the first one in an epoch.
 * - C4. The state of a record may go where somebody else looks after it: with the epoch that {@link leave} returns, in whose snapshot it is to be
 *   unless it has come back before ({@link comeBack}); 0 if it need not be in any.
 */
export class ChangeLog<R extends Changing> {
  private epoch = 1;
  private changed: R[] = [];
  private frozen: R[] = [];
  private at = 0;
  private sink: RecordSink | undefined;

  /** @param writeRecord writes it as it is, or that it is gone */
  constructor(private readonly writeRecord: (record: R, sink: RecordSink) => void) {}

  /** C1 */
  touch(record: R): void {
    if (record.changedIn !== this.epoch) this.note(record);
  }

  /** What has changed so far need not be written. */
  settle(): void {
    for (const record of this.changed) record.changedIn = 0;
    this.changed = [];
    this.epoch++; // C4
  }

  /** C4 */
  leave(record: R): number {
    const { changedIn } = record;
    if (changedIn !== 0 && changedIn !== this.epoch) this.writeRecord(record, this.sink!); // C2
    record.changedIn = 0;
    return changedIn === this.epoch ? changedIn : 0;
  }

  /** C4: the state that has left with this epoch is in this record now. */
  comeBack(record: R, epoch: number): void {
    if (epoch !== this.epoch) return;
    record.changedIn = epoch;
    this.changed.push(record);
  }

  /** The epoch under way. */
  get current(): number {
    return this.epoch;
  }

  freeze(sink: RecordSink): void {
    this.sink = sink;
    this.frozen = this.changed;
    this.changed = [];
    this.at = 0;
    this.epoch++;
  }

  write(pause: () => boolean): boolean {
    const { frozen } = this;
    const epoch = this.epoch - 1;
    while (this.at < frozen.length) {
      if (pause()) return false;
      const record = frozen[this.at++];
      if (record.changedIn !== epoch) continue; // C2
      record.changedIn = 0;
      this.writeRecord(record, this.sink!);
    }
    this.frozen = [];
    this.at = 0;
    return true;
  }

  private note(record: R): void {
    if (record.changedIn !== 0) this.writeRecord(record, this.sink!); // C2
    record.changedIn = this.epoch;
    this.changed.push(record);
  }
}
