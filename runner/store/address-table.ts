import type { Address } from "./record-log.js";

/** Pairs in the smallest table. */
const LEAST = 16;
/** So many entries are in one table; beyond, they are dealt out to {@link PARTS}, so that none takes long to grow. */
const MOST_IN_ONE = 1 << 16;
const PARTS_BITS = 8;
const PARTS = 1 << PARTS_BITS;

/**
 * Addresses by the hash of a key, of which several keys may have the same: eleven to twenty-one bytes an entry, all of them in typed arrays.
 *
 * A hash that no entry has is told at once, so that new keys cost no look at the disk: with ten million entries, one in four hundred does.
 */
export class AddressTable {
  size = 0;
  /** One, or {@link PARTS}. */
  private parts: Part[] = [new Part()];
  /** Where {@link any} has come to. */
  private part = 0;

  /** The first address of this hash that `isIt` says yes to; 0 without one. */
  find(hash: number, isIt: (address: Address) => boolean): Address {
    return this.partOf(hash).find(hash | 0, isIt);
  }

  has(hash: number, address: Address): boolean {
    return this.partOf(hash).slotOf(hash | 0, address) >= 0;
  }

  /** Adds an entry that is not there. */
  add(hash: number, address: Address): void {
    if (this.size++ === MOST_IN_ONE && this.parts.length === 1) this.divide();
    this.partOf(hash).add(hash | 0, address);
  }

  /** Puts an address in the place of another one; false if that is not there. */
  replace(hash: number, before: Address, after: Address): boolean {
    const part = this.partOf(hash);
    const slot = part.slotOf(hash | 0, before);
    if (slot >= 0) part.put(slot, after);
    return slot >= 0;
  }

  /** Removes an entry that is there. */
  remove(hash: number, address: Address): void {
    this.size--;
    const part = this.partOf(hash);
    part.empty(part.slotOf(hash | 0, address));
  }

  /** Some address; there must be one. Taken away each time, all of them come. */
  any(): Address {
    while (this.parts[this.part % this.parts.length].size === 0) this.part++;
    return this.parts[this.part % this.parts.length].any();
  }

  forEach(tell: (hash: number, address: Address) => void): void {
    for (const part of this.parts) part.forEach(tell);
  }

  /** Bytes that it takes. */
  get bytes(): number {
    let bytes = 0;
    for (const part of this.parts) bytes += part.bytes;
    return bytes;
  }

  private partOf(hash: number): Part {
    return this.parts.length === 1 ? this.parts[0] : this.parts[Math.imul(hash, GOLDEN) >>> (32 - PARTS_BITS)];
  }

  private divide(): void {
    const [all] = this.parts;
    this.parts = Array.from({ length: PARTS }, () => new Part());
    all.forEach((hash, address) => this.partOf(hash).add(hash | 0, address));
  }
}

const GOLDEN = 0x9e3779b1;

/** An open-addressing hash table: pairs of a hash and an address, of which zero marks a free slot. At most three quarters of it are in use. */
class Part {
  size = 0;
  private slots = new Int32Array(2 * LEAST);
  private shift = 32 - Math.log2(LEAST);
  private anyAt = 0;

  get bytes(): number {
    return this.slots.byteLength;
  }

  find(hash: number, isIt: (address: Address) => boolean): Address {
    const { slots } = this;
    const last = slots.length - 1;
    for (let at = homeOf(hash, this.shift); slots[at + 1] !== 0; at = (at + 2) & last)
      if (slots[at] === hash && isIt(slots[at + 1] >>> 0)) return slots[at + 1] >>> 0;
    return 0;
  }

  slotOf(hash: number, address: Address): number {
    const { slots } = this;
    const last = slots.length - 1;
    address |= 0;
    let at = homeOf(hash, this.shift);
    for (; slots[at + 1] !== 0; at = (at + 2) & last) if (slots[at + 1] === address) return at;
    return -1;
  }

  put(slot: number, address: Address): void {
    this.slots[slot + 1] = address;
  }

  add(hash: number, address: Address): void {
    if (++this.size * 8 > this.slots.length * 3) this.resize(this.slots.length * 2);
    this.place(hash, address);
  }

  /** Frees a slot, and moves those behind it that would not be found any more (Knuth 6.4, algorithm R). */
  empty(hole: number): void {
    const { slots, shift } = this;
    const last = slots.length - 1;
    for (let at = (hole + 2) & last; slots[at + 1] !== 0; at = (at + 2) & last) {
      if (((at - homeOf(slots[at], shift)) & last) < ((at - hole) & last)) continue; // its way does not lead over the hole
      slots[hole] = slots[at];
      slots[hole + 1] = slots[at + 1];
      hole = at;
    }
    slots[hole + 1] = 0;
    if (--this.size * 16 < slots.length && slots.length > 2 * LEAST) this.resize(slots.length / 2);
  }

  any(): Address {
    const { slots } = this;
    const last = slots.length - 1;
    while (slots[(this.anyAt & last) + 1] === 0) this.anyAt += 2;
    return slots[(this.anyAt & last) + 1] >>> 0;
  }

  forEach(tell: (hash: number, address: Address) => void): void {
    const { slots } = this;
    for (let at = 0; at < slots.length; at += 2) if (slots[at + 1] !== 0) tell(slots[at] >>> 0, slots[at + 1] >>> 0);
  }

  private place(hash: number, address: Address): void {
    const { slots } = this;
    const last = slots.length - 1;
    let at = homeOf(hash, this.shift);
    while (slots[at + 1] !== 0) at = (at + 2) & last;
    slots[at] = hash;
    slots[at + 1] = address;
  }

  private resize(length: number): void {
    const { slots } = this;
    this.slots = new Int32Array(length);
    this.shift = 32 - Math.log2(length / 2);
    for (let at = 0; at < slots.length; at += 2) if (slots[at + 1] !== 0) this.place(slots[at], slots[at + 1]);
  }
}

/** Where a hash is looked for first. Fibonacci hashing, without the bits that say which part it is in. */
function homeOf(hash: number, shift: number): number {
  return ((Math.imul(hash, GOLDEN) << PARTS_BITS) >>> shift) << 1;
}
