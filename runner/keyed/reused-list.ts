// Lists that are filled and emptied again and again: they keep their memory, and nothing of what was in it.

/** Items that a list keeps room for when it is emptied. */
const KEPT = 1 << 16;
const LEAST = 64;

export class ReusedList<T> {
  size = 0;
  private items: (T | undefined)[] = [];

  push(item: T): void {
    this.items[this.size++] = item;
  }

  /** The item at an index below {@link size}. */
  at(index: number): T {
    return this.items[index] as T;
  }

  clear(): void {
    if (this.size > KEPT) this.items = [];
    else this.items.fill(undefined, 0, this.size);
    this.size = 0;
  }
}

/** The same for numbers, which an array of anything would keep as objects. */
export class ReusedNumbers {
  size = 0;
  private numbers = new Float64Array(LEAST);

  push(number: number): void {
    if (this.size === this.numbers.length) this.grow();
    this.numbers[this.size++] = number;
  }

  /** The number at an index below {@link size}. */
  at(index: number): number {
    return this.numbers[index];
  }

  /** Takes the last one; there must be one. */
  pop(): number {
    return this.numbers[--this.size];
  }

  clear(): void {
    if (this.size > KEPT) this.numbers = new Float64Array(LEAST);
    this.size = 0;
  }

  private grow(): void {
    const { numbers } = this;
    this.numbers = new Float64Array(numbers.length * 2);
    this.numbers.set(numbers);
  }
}
