import { MAX_TIMESTAMP, type ElementMeta, type Receiver, type Timestamp, type Window } from "../../portability/values/index.js";
import { WindowMap } from "../store/index.js";
import { ElementBatch } from "./element-batch.js";
import type { HeadOperator } from "./head.js";
import type { SideInputBuffer } from "./side-input-buffer.js";

/** Elements of one window that wait, or are on their way into the stage. */
interface HeldElements {
  readonly window: Window;
  readonly batch: ElementBatch;
  earliest: Timestamp;
  position: number;
}

/**
 * The head of a task with side inputs: lets an element into the stage only when the windows that it needs are complete, and
 * keeps it until then. Elements of other windows pass.
 *
 * - W1. The main input is always taken, so that no producer of both inputs waits for one of them because of the other.
 * - W2. The output watermark does not pass an element that is kept.
 * - W3. What a window's element needs is ready when it is ready for the latest of its windows: readiness follows the windows' ends.
 */
export class SideInputHead implements HeadOperator {
  readonly relays: boolean;
  readonly process: Receiver;
  private readonly inner: HeadOperator;
  private readonly held = new WindowMap<HeldElements>();
  private readonly released: HeldElements[] = [];
  private lastReady: readonly Window[] | undefined;

  /** @param innerHead makes the head that these side inputs are added to; it is given the receiver to emit to. */
  constructor(
    private readonly sideInputs: readonly SideInputBuffer[],
    private readonly stage: Receiver,
    innerHead: (receiver: Receiver) => HeadOperator,
  ) {
    this.inner = innerHead((value, meta) => this.admit(value, meta));
    this.relays = this.inner.relays === true;
    this.process = this.inner.process;
  }

  poll(): void {
    let moved = false;
    for (const sideInput of this.sideInputs) if (sideInput.takeArrived()) moved = true;
    if (!moved) return;
    for (const held of [...this.held.values()])
      if (this.isReady(held.window)) {
        this.held.delete(held.window);
        this.released.push(held);
      }
  }

  /** Side inputs are taken to their end, whether anybody still needs them or not: their senders want to finish, too. */
  get waitsFor(): string | undefined {
    const open = this.sideInputs.filter((sideInput) => !sideInput.isOver);
    if (open.length === 0) return this.inner.waitsFor;
    return open.map(({ pcollection, inbox }) => `side input "${pcollection}"${fromOf(inbox.laggards)}`).join(", ");
  }

  get isSource(): boolean {
    return this.inner.isSource === true;
  }

  /** W2 */
  get isIdle(): boolean | undefined {
    return this.inner.isIdle === true ? this.held.size === 0 && this.released.length === 0 : this.inner.isIdle;
  }

  close(): Promise<void> {
    return this.inner.close?.() ?? Promise.resolve();
  }

  advance(watermark: Timestamp): void {
    this.inner.advance(watermark);
  }

  get deadline(): number {
    return this.inner.deadline;
  }

  advanceTime(now: number): void {
    this.inner.advanceTime(now);
  }

  get draining(): boolean {
    return this.released.length > 0 || this.inner.draining;
  }

  drain(pause: () => boolean): boolean {
    for (let held = this.released[0]; held !== undefined; held = this.released[0]) {
      const { batch } = held;
      while (held.position < batch.length) {
        if (pause()) return false;
        const at = held.position++;
        this.stage(batch.values[at], batch.metaAt(at));
      }
      this.released.shift();
    }
    return this.inner.drain(pause);
  }

  committed(): void {
    this.inner.committed?.();
  }

  hold(): Timestamp {
    let hold = this.inner.hold();
    for (const { earliest } of this.held.values()) if (earliest < hold) hold = earliest;
    for (const { earliest } of this.released) if (earliest < hold) hold = earliest;
    return hold;
  }

  get droppedLate(): number {
    return this.inner.droppedLate;
  }

  get droppedClosed(): number {
    return this.inner.droppedClosed;
  }

  private admit(value: unknown, meta: ElementMeta): void {
    const { windows } = meta;
    if (windows === this.lastReady) return this.stage(value, meta);
    const latest = latestOf(windows); // W3
    if (!this.isReady(latest)) return this.keep(latest, value, meta);
    this.lastReady = windows;
    this.stage(value, meta);
  }

  private isReady(window: Window): boolean {
    return this.sideInputs.every((sideInput) => sideInput.isReady(window));
  }

  private keep(window: Window, value: unknown, meta: ElementMeta): void {
    let held = this.held.get(window);
    if (held === undefined) {
      held = { window, batch: new ElementBatch(), earliest: MAX_TIMESTAMP, position: 0 };
      this.held.set(window, held);
    }
    held.batch.push(value, meta);
    if (meta.timestamp < held.earliest) held.earliest = meta.timestamp;
  }
}

function fromOf(tasks: readonly string[]): string {
  const named = [...new Set(tasks)].filter((name) => name !== "");
  return named.length === 0 ? "" : ` from ${named.join(", ")}`;
}

function latestOf(windows: readonly Window[]): Window {
  let latest = windows[0];
  for (let i = 1; i < windows.length; i++) if (windows[i].maxTimestamp > latest.maxTimestamp) latest = windows[i];
  return latest;
}
