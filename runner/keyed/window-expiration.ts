import type { StageExecutor } from "../../portability/stage-host/index.js";
import type { Timestamp, Window } from "../../portability/values/index.js";
import type { KeyedRecord, WindowRecords } from "./keyed-record.js";
import type { KeyedStore } from "./keyed-store.js";

/** A window whose keys are being told of. */
interface Expiring {
  readonly of: WindowRecords;
  records: Iterator<KeyedRecord>;
  /** How many of them the bundle under way has been told of. */
  told: number;
}

/**
 * Tells the executor of each key of a window that expires, if it wants to know, and drops the window.
 *
 * - E1. A key that was told of goes when the bundle is committed: until then it can be told of again, and never after. So a window may be told of in
 *   many bundles, and a snapshot between them has the keys that are left.
 * - E2. What is on disk comes back one by one.
 */
export class WindowExpiration {
  private current: Expiring | undefined;
  /** E1: keys that the bundle under way has been told of, and windows of which it has been told the last one. */
  private readonly told = new Set<KeyedRecord>();
  private readonly over: WindowRecords[] = [];
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

  /** The window that {@link step} will tell of; undefined if it will tell of none. */
  get toldWindow(): Window | undefined {
    return this.family === undefined ? undefined : (this.current?.of ?? this.store.expiring.peek())?.window;
  }

  /** Where the output watermark has to wait: the end of the earliest window that is still to be told of. */
  get hold(): Timestamp {
    if (this.family === undefined) return Infinity;
    const of = this.over[0] ?? this.current?.of ?? this.store.expiring.peek();
    return of?.window.maxTimestamp ?? Infinity;
  }

  /** Tells of one key, or drops a window. */
  step(): void {
    const of = this.current?.of ?? this.store.expiring.take()!;
    if (this.family === undefined) return this.store.drop(of);
    this.current ??= { of, records: of.records.values(), told: 0 };
    const record = this.nextOf(this.current);
    if (record === undefined) {
      this.current = undefined;
      this.over.push(of);
      return;
    }
    this.current.told++;
    this.told.add(record);
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
    for (const record of this.told) this.store.remove(record);
    this.told.clear();
    if (this.current !== undefined) this.current.told = 0;
    for (const of of this.over.splice(0)) this.store.drop(of);
  }

  rollback(): void {
    const again = this.over.splice(0);
    if (this.current !== undefined) again.push(this.current.of);
    this.current = undefined;
    this.told.clear();
    for (const of of again) this.store.expiring.add(of.expiresAt, of);
  }

  private nextOf(expiring: Expiring): KeyedRecord | undefined {
    const { of, told } = expiring;
    for (;;) {
      const { value, done } = expiring.records.next();
      if (done !== true) {
        if (this.told.has(value)) continue;
        return value;
      }
      const evicted = this.store.evicted?.loadAny(of); // E2
      if (evicted !== undefined) return evicted;
      if (of.records.size === told) return undefined;
      expiring.records = of.records.values();
    }
  }
}
