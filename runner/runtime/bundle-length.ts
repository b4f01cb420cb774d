/** From one bundle to the next its length changes by no more than this. */
const AT_MOST = 4;
/** A bundle has this many elements at least, however long they take. */
const LEAST = 256;

/**
 * How many elements the bundles of a stage should have that takes its time to begin and to end one: so many that a bundle takes about a
 * given time, from its beginning to its end, as the one before did.
 *
 * - L1. It grows only behind a bundle that had as many elements as it might: where little comes, bundles are over when it is processed.
 */
export class BundleLength {
  /** Elements that the next bundle may have. */
  elements: number;

  constructor(
    start: number,
    private readonly most: number,
    private readonly withinMs: number,
  ) {
    this.elements = Math.min(start, most);
  }

  /** A bundle had so many elements, and took so long. */
  ended(elements: number, ms: number): void {
    const change = this.withinMs / Math.max(ms, 1);
    if (change > 1 && elements < this.elements) return; // L1
    const fitting = Math.ceil(this.elements * Math.min(AT_MOST, Math.max(1 / AT_MOST, change)));
    this.elements = Math.min(this.most, Math.max(LEAST, fitting));
  }
}
