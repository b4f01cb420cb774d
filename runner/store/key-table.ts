import type { StateKey } from "./key-space.js";

/**
 * Numbers distinct keys 0, 1, 2, … in the order of their first appearance: an open-addressing hash table whose slots, a hash
 * and a number each, lie in one typed array.
 *
 * A Map would compute the hash of a string that the caller has hashed already, and reaches a value over three more places
 * in memory. Keys must be equal by `===` if and only if they are the same; see KeySpace.
 */
export class KeyTable {
  /** The keys by number, and maybe others behind them. */
  readonly keys: StateKey[] = [];
  /** How many there are. */
  size = 0;
  /** Pairs of a hash and a number plus one; zero marks a free slot. */
  private slots = new Int32Array(2 * 64);
  private shift = 32 - 6;

  /** The number of a key, a new one if it is new. */
  numberOf(key: StateKey, hash: number): number {
    const { slots, keys } = this;
    const last = slots.length - 1;
    hash |= 0;
    // Fibonacci hashing: the top bits, since keys of one key group may agree in the bottom ones
    let at = (Math.imul(hash, 0x9e3779b1) >>> this.shift) << 1;
    for (;;) {
      const number = slots[at + 1] - 1;
      if (number < 0) break;
      if (slots[at] === hash && keys[number] === key) return number;
      at = (at + 2) & last;
    }
    const number = this.size++;
    keys[number] = key;
    slots[at] = hash;
    slots[at + 1] = number + 1;
    if (this.size * 4 > slots.length) this.grow();
    return number;
  }

  /** Number of the only key of this hash that the first slot tells, or -1: a guess to be checked. */
  candidate(hash: number): number {
    const at = (Math.imul(hash, 0x9e3779b1) >>> this.shift) << 1;
    return this.slots[at] === (hash | 0) ? this.slots[at + 1] - 1 : -1;
  }

  /** The number of a key, or -1 if it has none. */
  find(key: StateKey, hash: number): number {
    const { slots, keys } = this;
    let at = (Math.imul(hash, 0x9e3779b1) >>> this.shift) << 1;
    for (; slots[at + 1] !== 0; at = (at + 2) & (slots.length - 1)) if (keys[slots[at + 1] - 1] === key) return slots[at + 1] - 1;
    return -1;
  }

  /** How many keys it has room for. */
  get capacity(): number {
    return this.slots.length / 4;
  }

  /** Forgets all keys, and keeps the memory that they have taken. */
  clear(): void {
    this.keys.fill(0, 0, this.size);
    this.slots.fill(0);
    this.size = 0;
  }

  private grow(): void {
    const before = this.slots;
    const slots = new Int32Array(before.length * 2);
    const shift = --this.shift;
    for (let from = 0; from < before.length; from += 2) {
      if (before[from + 1] === 0) continue;
      let at = (Math.imul(before[from], 0x9e3779b1) >>> shift) << 1;
      while (slots[at + 1] !== 0) at = (at + 2) & (slots.length - 1);
      slots[at] = before[from];
      slots[at + 1] = before[from + 1];
    }
    this.slots = slots;
  }
}
