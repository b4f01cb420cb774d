import type { SideInput } from "../../portability/stage-host/index.js";
import { MAX_TIMESTAMP, type Window } from "../../portability/values/index.js";
import { sideInputWindow, type WindowFn } from "../../portability/windows/index.js";
import { WindowMap } from "../store/index.js";
import { Inbox } from "./inbox.js";

/** The elements of one window; `shared` once somebody has been given the array, which is not changed from then on. */
interface Contents {
  values: unknown[];
  shared: boolean;
}

const NOTHING: readonly unknown[] = Object.freeze([]);

/**
 * One side input of a task: all that its PCollection has had so far, by window. It arrives in an inbox of its own, whose
 * watermark tells which windows are complete.
 *
 * - S1. What arrives is always taken: whoever sends it never waits for this task's main input.
 * - S2. An array that was handed out keeps its content; a window that changes afterwards gets a new one.
 */
export class SideInputBuffer implements SideInput {
  readonly inbox = new Inbox();
  private readonly windows = new WindowMap<Contents>();

  /** @param windowFn of the PCollection; undefined if it is not known: then no window is complete before everything is. */
  constructor(
    readonly pcollection: string,
    private readonly windowFn: WindowFn | undefined,
  ) {}

  /** Whether nothing more will come. */
  get isOver(): boolean {
    return this.inbox.watermark === MAX_TIMESTAMP;
  }

  /** Whether all is there that an element of the window may ask for. Once true it stays true. */
  isReady(mainWindow: Window): boolean {
    if (this.isOver) return true;
    return this.windowFn !== undefined && sideInputWindow(this.windowFn, mainWindow).maxTimestamp < this.inbox.watermark;
  }

  values(window: Window): readonly unknown[] {
    const contents = this.windows.get(window);
    if (contents === undefined) return NOTHING;
    contents.shared = true;
    return contents.values;
  }

  /** Takes all that has arrived; true if the watermark has moved, so that more may be ready. */
  takeArrived(): boolean {
    const { inbox } = this;
    const before = inbox.watermark;
    while (inbox.hasWaiting) {
      const batch = inbox.take();
      if (batch === undefined) continue;
      for (let i = 0; i < batch.length; i++) for (const window of batch.metaAt(i).windows) this.add(window, batch.values[i]);
      inbox.release();
    }
    return inbox.watermark !== before;
  }

  private add(window: Window, value: unknown): void {
    const contents = this.windows.get(window);
    if (contents === undefined) {
      this.windows.set(window, { values: [value], shared: false });
      return;
    }
    if (contents.shared) {
      contents.values = [...contents.values]; // S2
      contents.shared = false;
    }
    contents.values.push(value);
  }
}
