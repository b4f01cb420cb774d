import type { KeyedRecord, WindowRecords } from "./keyed-record.js";

/**
 * Goes round all records in memory, for who looks for some that nobody asks for: the clock algorithm, with a bit a record that says whether it was
 * asked for again since it was passed.
 */
export class ClockHand {
  private windows: Iterator<WindowRecords>;
  private of: WindowRecords | undefined;
  private number = 0;

  constructor(private readonly openWindows: () => Iterator<WindowRecords>) {
    this.windows = openWindows();
  }

  /** The next record that was not asked for, and may go; undefined if there is none. */
  next(mayGo: (record: KeyedRecord) => boolean): KeyedRecord | undefined {
    for (let turns = 0; turns < 3;) {
      if (this.of === undefined || this.number >= this.of.records.room) {
        if (!this.nextWindow()) turns++;
        continue;
      }
      const record = this.of.records.at(this.number++);
      if (!record.inUse) continue;
      if (record.isHot) record.isHot = false;
      else if (mayGo(record)) return record;
    }
    return undefined;
  }

  /** A window is being dropped. */
  leave(of: WindowRecords): void {
    if (this.of === of) this.of = undefined;
  }

  /** False if it begins a turn. */
  private nextWindow(): boolean {
    this.number = 0;
    const { value, done } = this.windows.next();
    this.of = done === true ? undefined : value;
    if (done === true) this.windows = this.openWindows();
    return done !== true;
  }
}
