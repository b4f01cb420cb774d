import { PermanentError, UserCodeError, type WindowMerger } from "../../portability/stage-host/index.js";
import type { ElementMeta, KV, Receiver, Timestamp, Window } from "../../portability/values/index.js";
import type { WindowMerge } from "../../portability/windows/index.js";
import { WindowMap, type KeySpace, type StateKey } from "../store/index.js";
import { ElementBatch } from "./element-batch.js";
import type { HeadOperator } from "./head.js";

/** A grouping that can tell which windows a key has. */
export interface MergingGroups extends HeadOperator {
  windowsOf(key: unknown): Window[];
}

/** Into what a window merges. */
class MergeTarget {
  constructor(readonly into: Window) {}
}

/**
 * The head of a grouping by windows that merge in a way that only user code knows, which takes its time: what comes waits until it is known how
 * its windows merge with each other and with those of its key.
 *
 * - W1. What waits is given to the grouping before anything else is taken in, or the watermark moves: nothing is late because it had to wait.
 * - W2. User code is asked for all keys at once. If that fails it is asked again, about the same windows, `attempts` times at most.
 */
export class WindowMergingHead implements HeadOperator {
  readonly process: Receiver;
  private readonly grouping: MergingGroups;
  private waiting = new ElementBatch();
  private position = 0;
  private asking: Promise<void> | undefined;
  /** How often in a row user code has failed. */
  private failures = 0;
  /** How the windows of what waits merge, by key; undefined until it is known. */
  private targets: Map<StateKey, WindowMap<MergeTarget>> | undefined;
  private ofKey: WindowMap<MergeTarget> | undefined;

  /** @param groupingOf makes the grouping, given how windows merge: those of the element that it is given at that time */
  constructor(
    private readonly merger: WindowMerger,
    private readonly keys: KeySpace,
    private readonly attempts: number,
    groupingOf: (merge: (windows: readonly Window[]) => readonly WindowMerge[]) => MergingGroups,
  ) {
    this.grouping = groupingOf((windows) => this.mergesOf(windows));
    this.process = (value, meta) => this.waiting.push(value, meta);
  }

  get draining(): boolean {
    return this.waiting.length > 0 || this.grouping.draining;
  }

  drain(pause: () => boolean): boolean {
    const { waiting } = this;
    if (waiting.length === 0) return this.grouping.drain(pause);
    if (this.targets === undefined) {
      this.asking ??= this.ask();
      return false;
    }
    for (; this.position < waiting.length; this.position++) {
      const value = waiting.values[this.position] as KV<unknown, unknown>;
      this.ofKey = this.targets.get(this.keys.identify(value.key));
      this.grouping.process(value, waiting.metaAt(this.position));
    }
    this.waiting = new ElementBatch();
    this.position = 0;
    this.targets = this.ofKey = undefined;
    return this.grouping.drain(pause);
  }

  blocked(): Promise<void> | undefined {
    return this.asking;
  }

  advance(watermark: Timestamp): void {
    this.grouping.advance(watermark);
  }

  get deadline(): number {
    return this.grouping.deadline;
  }

  advanceTime(now: number): void {
    this.grouping.advanceTime(now);
  }

  hold(): Timestamp {
    return this.grouping.hold();
  }

  get droppedLate(): number {
    return this.grouping.droppedLate;
  }

  get droppedClosed(): number {
    return this.grouping.droppedClosed;
  }

  /** W2 */
  private async ask(): Promise<void> {
    try {
      const windows = this.windowsByKey();
      const merges = await this.merger([...windows.values()]);
      const keys = [...windows.keys()];
      this.targets = new Map(merges.map((each, i) => [keys[i], targetsOf(each)]));
      this.failures = 0;
    } catch (error) {
      throw ++this.failures < this.attempts ? error : lastOf(error, this.failures);
    } finally {
      this.asking = undefined;
    }
  }

  /** Of each key of what waits, its windows there and those that the grouping has. */
  private windowsByKey(): Map<StateKey, Window[]> {
    const windows = new Map<StateKey, Window[]>();
    const seen = new Map<StateKey, WindowMap<MergeTarget>>();
    const add = (id: StateKey, window: Window): void => {
      const known = seen.get(id)!;
      if (known.get(window) !== undefined) return;
      known.set(window, new MergeTarget(window));
      windows.get(id)!.push(window);
    };
    for (let i = 0; i < this.waiting.length; i++) {
      const { key } = this.waiting.values[i] as KV<unknown, unknown>;
      const id = this.keys.identify(key);
      if (!windows.has(id)) {
        windows.set(id, []);
        seen.set(id, new WindowMap());
        for (const window of this.grouping.windowsOf(key)) add(id, window);
      }
      const meta: ElementMeta = this.waiting.metaAt(i);
      for (const window of meta.windows) add(id, window);
    }
    return windows;
  }

  private mergesOf(windows: readonly Window[]): readonly WindowMerge[] {
    const groups = new WindowMap<{ readonly windows: Window[]; readonly into: Window }>();
    for (const window of windows) {
      const into = this.ofKey?.get(window)?.into ?? window;
      const group = groups.get(into);
      if (group === undefined) groups.set(into, { windows: [window], into });
      else group.windows.push(window);
    }
    return [...groups.values()].filter(({ windows: parts, into }) => parts.length > 1 || parts[0] !== into);
  }
}

/** The failure, as one that is not to be tried again. */
function lastOf(error: unknown, attempts: number): unknown {
  if (!(error instanceof UserCodeError)) return error;
  const { cause, site } = error;
  const last = new PermanentError(cause instanceof Error ? cause.message : String(cause), { cause });
  return new UserCodeError({ ...site, attempts }, "merging of windows failed", last);
}

function targetsOf(merges: readonly WindowMerge[]): WindowMap<MergeTarget> {
  const targets = new WindowMap<MergeTarget>();
  for (const { windows, into } of merges)
    for (const window of windows) if (targets.get(window) === undefined) targets.set(window, new MergeTarget(into));
  return targets;
}
