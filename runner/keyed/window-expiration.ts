import type { StageExecutor } from "../../portability/stage-host/index.js";
import type { Timestamp } from "../../portability/values/index.js";
import type { KeyedRecord, WindowRecords } from "./keyed-record.js";
import type { KeyedStore } from "./keyed-store.js";

/**
 * Tells the executor of each key of a window that expires, if it wants to know, and drops the window.
 *
 * - E1. A window that was told of goes when the bundle is committed: until then it can be told of again.
 */
export class WindowExpiration {
  private current: { readonly of: WindowRecords; readonly records: Iterator<KeyedRecord> } | undefined;
  /** E1 */
  private readonly told: WindowRecords[] = [];
  private readonly family: string | undefined;

  constructor(
    private readonly store: KeyedStore,
    private readonly executor: Pick<StageExecutor, "fire">,
  ) {
    this.family = store.spec.expirationFamily;
  }

  /** When the next window expires, or when the one did that is being told of. */
  get next(): Timestamp {
    return this.current?.of.expiresAt ?? this.store.expiring.next;
  }

  /** Where the output watermark has to wait: the end of the earliest window that is still to be told of. */
  get hold(): Timestamp {
    if (this.family === undefined) return Infinity;
    const of = this.told[0] ?? this.current?.of ?? this.store.expiring.peek();
    return of?.window.maxTimestamp ?? Infinity;
  }

  /** Tells of one key, or drops a window. */
  step(): void {
    const of = this.current?.of ?? this.store.expiring.take()!;
    if (this.family === undefined) return this.store.drop(of);
    this.current ??= { of, records: of.records.values() };
    const { value: record, done } = this.current.records.next();
    if (done === true) {
      this.current = undefined;
      this.told.push(of);
      return;
    }
    this.store.write(record);
    const { maxTimestamp } = of.window;
    this.executor.fire?.({
      family: this.family,
      tag: "",
      key: record.key,
      window: of.window,
      fireAt: of.expiresAt,
      outputAt: maxTimestamp,
    });
  }

  commit(): void {
    for (const of of this.told.splice(0)) this.store.drop(of);
  }

  rollback(): void {
    const again = this.told.splice(0);
    if (this.current !== undefined) again.push(this.current.of);
    this.current = undefined;
    for (const of of again) this.store.expiring.add(of.expiresAt, of);
  }
}
