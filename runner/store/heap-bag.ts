import type { KeyGroups } from "./key-groups.js";
import type { StateKey } from "./key-space.js";
import { KeyTable } from "./key-table.js";
import type { BagCells } from "./state-store.js";

/**
 * The bag cells of one window in memory.
 *
 * - G1. A small bag is a Map of arrays and never hashes a key a second time.
 * - G2. A bag of more than `splitAt` keys is split by key group. A part is a log: additions are appended, with the number of
 *   their key beside them, and gathered by key only when asked for. So an addition costs no array a key, touches half as
 *   much memory, and reading a part goes through memory in order. (10 M additions to 1 M keys: 1150 ns each with a Map.)
 */
export class HeapBag<V> implements BagCells<V> {
  private whole: Map<StateKey, V[]> | undefined = new Map();
  private parts: BagPart<V>[] = [];

  constructor(
    private readonly groups: KeyGroups,
    private readonly splitAt: number,
  ) {}

  add(key: StateKey, value: V): void {
    const { whole } = this;
    if (whole === undefined) {
      const hash = this.groups.keys.hash(key);
      this.parts[hash % this.groups.count].add(key, hash, value);
      return;
    }
    const values = whole.get(key);
    if (values !== undefined) values.push(value);
    else if (whole.set(key, [value]).size > this.splitAt) this.split(whole);
  }

  get(key: StateKey): readonly V[] {
    if (this.whole !== undefined) return this.whole.get(key) ?? [];
    const hash = this.groups.keys.hash(key);
    return this.parts[hash % this.groups.count].get(key, hash);
  }

  *entries(): IterableIterator<[StateKey, V[]]> {
    if (this.whole !== undefined) yield* this.whole;
    else for (const part of this.parts) yield* part.entries();
  }

  takeAll(): IterableIterator<[StateKey, V[]]> {
    const { whole, parts } = this;
    this.whole = new Map();
    this.parts = [];
    return whole !== undefined ? whole.entries() : takeParts(parts);
  }

  private split(whole: Map<StateKey, V[]>): void {
    const { keys, count } = this.groups;
    this.parts = Array.from({ length: count }, () => new BagPart<V>());
    for (const [key, values] of whole) {
      const hash = keys.hash(key);
      for (const value of values) this.parts[hash % count].add(key, hash, value);
    }
    this.whole = undefined;
  }
}

/** The part of a split bag that one key group has (G2). */
class BagPart<V> {
  private readonly table = new KeyTable();
  private values: V[] = [];
  /** Number of the key of each value. */
  private numbers = new Int32Array(16);
  /** The values by key number, as of the last gathering; undefined when values came since. */
  private gathered: V[][] | undefined;

  add(key: StateKey, hash: number, value: V): void {
    const number = this.table.numberOf(key, hash);
    const at = this.values.push(value) - 1;
    if (at === this.numbers.length) this.grow();
    this.numbers[at] = number;
    this.gathered = undefined;
  }

  get(key: StateKey, hash: number): readonly V[] {
    const number = this.table.find(key, hash);
    return number < 0 ? [] : this.gather()[number];
  }

  *entries(): IterableIterator<[StateKey, V[]]> {
    const gathered = this.gather();
    for (let number = 0; number < gathered.length; number++) yield [this.table.keys[number], gathered[number]];
  }

  private gather(): V[][] {
    if (this.gathered !== undefined) return this.gathered;
    const { values, numbers } = this;
    const ends = new Int32Array(this.table.keys.length);
    for (let i = 0; i < values.length; i++) ends[numbers[i]]++;
    const gathered = Array.from(ends, (length) => new Array<V>(length));
    ends.fill(0);
    for (let i = 0; i < values.length; i++) gathered[numbers[i]][ends[numbers[i]]++] = values[i];
    return (this.gathered = gathered);
  }

  private grow(): void {
    const numbers = new Int32Array(this.numbers.length * 2);
    numbers.set(this.numbers);
    this.numbers = numbers;
  }
}

function* takeParts<V>(parts: BagPart<V>[]): IterableIterator<[StateKey, V[]]> {
  parts.reverse(); // so that pop gives them in order of key group
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) yield* part.entries();
}
