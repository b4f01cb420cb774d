import type { Timestamp } from "../../portability/values/index.js";
import type { KeyedRecord } from "./keyed-record.js";
import type { FamilySpec } from "./keyed-spec.js";

/** What a key can be told of: an element as it came, or something that had its time. */
export type ToldOf = "element" | FamilySpec["domain"];

interface Told {
  readonly of: ToldOf;
  readonly at: Timestamp;
}

/**
 * The keys that functions have been told of in the open bundle, where it is not known before its end what they do to timers.
 *
 * - T1. What is due at one instant, in one domain, has no order among itself: that much of a key may be told in one bundle.
 * - T2. Without timers of the author's nothing can come in between, so that only windows that expire have to wait.
 */
export class ToldKeys {
  private readonly last = new Map<KeyedRecord, Told>();
  private latest: Told | undefined;
  private isMixed = false;

  constructor(private readonly hasTimers: boolean) {}

  get isEmpty(): boolean {
    return this.latest === undefined;
  }

  /** Whether all that was told is of this. */
  isAllOf(of: ToldOf): boolean {
    return this.latest === undefined || (!this.isMixed && this.latest.of === of);
  }

  add(record: KeyedRecord, of: ToldOf, at: Timestamp): void {
    const { latest } = this;
    if (latest !== undefined && latest.of !== of) this.isMixed = true;
    // Mostly one object for all that is due at one instant.
    if (latest?.of !== of || !Object.is(latest.at, at)) this.latest = { of, at };
    if (this.hasTimers) this.last.set(record, this.latest!);
  }

  /** T1, T2 */
  mayAdd(record: KeyedRecord, of: ToldOf, at: Timestamp): boolean {
    const last = this.last.get(record);
    return last === undefined || (last.of === of && last.at === at);
  }

  clear(): void {
    this.last.clear();
    this.latest = undefined;
    this.isMixed = false;
  }
}
