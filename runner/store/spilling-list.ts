import { ByteWriter, type Coder } from "../../portability/coders/index.js";
import type { MemoryBudget, Spillable } from "./memory-budget.js";
import type { RunFile } from "./run-file.js";
import { SEGMENT_BYTES, type Segment } from "./segment.js";
import type { SpillFolder } from "./spill-folder.js";
import { SpilledValues } from "./spilled-values.js";

/** Values that may be iterated as often as one likes, wherever they are. */
export type Values<V> = Iterable<V> & { readonly length: number };

export interface SpillingListParts<V> {
  readonly coder: Coder<V>;
  /** Estimated bytes of a value in memory. */
  readonly sizeOf: (value: V) => number;
  readonly budget: MemoryBudget;
  readonly folder: SpillFolder;
}

/** Growth that is told to the budget at once. */
const REPORT_BYTES = 128 << 10;

/**
 * Values in the order of their addition, in memory until that runs short, then on disk.
 *
 * - L1. What {@link values} has given keeps its content: it is the same object until something is added, or has to be spilled.
 * - L2. The list's file lasts as long as anybody holds on to what it gave.
 */
export class SpillingList<V> implements Spillable {
  private memory: V[] = [];
  /** What comes before the values in memory. */
  private readonly spilled: Segment[] = [];
  private file: RunFile | undefined;
  /** L1 */
  private given: Values<V> | undefined;
  private held = 0;
  private unreported = 0;

  constructor(private readonly parts: SpillingListParts<V>) {
    parts.budget.add(this);
  }

  get heldBytes(): number {
    return this.held;
  }

  add(value: V): void {
    if (this.given !== undefined) {
      if (this.given === this.memory) this.memory = [...this.memory];
      this.given = undefined;
    }
    this.memory.push(value);
    this.unreported += this.parts.sizeOf(value);
    if (this.unreported >= REPORT_BYTES) this.report();
  }

  get values(): Values<V> {
    if (this.given !== undefined) return this.given;
    if (this.spilled.length === 0) return (this.given = this.memory);
    this.spill();
    return (this.given = new SpilledValues(this.spilled.slice(), this.parts.coder));
  }

  spill(): void {
    const { memory } = this;
    this.memory = [];
    if (this.given === memory) this.given = undefined;
    if (memory.length > 0) this.write(memory);
    const { held } = this;
    this.held = 0;
    this.unreported = 0;
    this.parts.budget.change(-held);
  }

  /** Gives everything back; the list is not to be used again. */
  drop(): void {
    const { budget, folder } = this.parts;
    budget.remove(this);
    budget.change(-this.held);
    this.held = 0;
    if (this.file !== undefined) folder.release(this.file);
  }

  private write(values: readonly V[]): void {
    const { coder, folder } = this.parts;
    const file = (this.file ??= folder.newFile());
    const writer = new ByteWriter();
    let count = 0;
    const cut = (): void => {
      const bytes = Buffer.from(writer.view());
      this.spilled.push({ file, position: file.length, bytes: bytes.byteLength, count });
      file.append(bytes);
      writer.reset();
      count = 0;
    };
    for (const value of values) {
      coder.encode(value, writer, true);
      count++;
      if (writer.length >= SEGMENT_BYTES) cut();
    }
    if (count > 0) cut();
    file.flush();
  }

  private report(): void {
    const bytes = this.unreported;
    this.unreported = 0;
    this.held += bytes;
    this.parts.budget.change(bytes);
  }
}
