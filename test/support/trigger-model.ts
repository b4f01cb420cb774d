// Grouping under any trigger, slow and obvious: what GroupIntoPanes is compared with (triggers.test.ts). It shares nothing with the
// runner but the types of values.
//
// A trigger is a tree of plain values that are never changed, only replaced. Its leaves keep no counters and no deadlines, but the list
// of all arrivals that they have heard of since they last started anew: how many they are, what they wait for and what they become when
// windows merge follows from that list each time it is asked for. Likewise a window keeps every element that it ever took, with the pane
// that it went out in.
//
// When a trigger is asked is part of what is modelled: after each element, when the watermark passes the end of the window, and when a
// delay that it waits for runs out. Being ready is a matter of the moment, so to ask more often would make other panes.
import { IntervalWindow, MIN_TIMESTAMP, PaneTiming, type PaneInfo, type Timestamp, type Window } from "../../portability/values/index.js";
import type { DelayStep, Trigger } from "../../portability/windows/index.js";
import type { GroupingStrategy } from "../../runner/windows/index.js";

/** The moment at which a trigger is asked, as its window sees it. */
interface Moment {
  /** Whether the watermark has passed the end of the window. */
  readonly ended: boolean;
  readonly now: number;
}

/** A trigger at some point of its life. */
interface Node {
  readonly trigger: Trigger;
  /** The times of arrival that a leaf has heard of since it last started anew, the first one first. */
  readonly heard: readonly number[];
  readonly finished: boolean;
  /** Of `after-end-of-window`: whether the pane at the end is behind it. */
  readonly pastEnd: boolean;
  readonly parts: readonly Node[];
}

const NEVER: Trigger = { kind: "never" };

function start(trigger: Trigger): Node {
  return { trigger, heard: [], finished: false, pastEnd: false, parts: partsOf(trigger).map(start) };
}

function partsOf(trigger: Trigger): readonly Trigger[] {
  switch (trigger.kind) {
    case "after-end-of-window":
      return [trigger.early, trigger.late].map((of = NEVER) => ({ kind: "repeat", of }));
    case "repeat":
      return [trigger.of];
    case "after-all":
    case "after-any":
    case "after-each":
      return trigger.of;
    case "or-finally":
      return [trigger.main, trigger.until];
    default:
      return [];
  }
}

const isFinished = ({ finished }: Node): boolean => finished;
const anew = ({ trigger }: Node): Node => start(trigger);

/** Of `after-each`: the place of the part whose turn it is; that of none if all are finished. */
function turn({ parts }: Node): number {
  return parts.filter((_, i) => parts.slice(0, i + 1).every(isFinished)).length;
}

/**
 * An element has arrived.
 *
 * @param merging whether windows may merge: then parts hear of elements that are not theirs yet, but may be after a merge
 */
function hear(node: Node, now: number, merging: boolean): Node {
  const told = (which: (part: Node, i: number) => boolean): Node => ({
    ...node,
    parts: node.parts.map((part, i) => (which(part, i) ? hear(part, now, merging) : part)),
  });
  switch (node.trigger.kind) {
    case "default":
    case "always":
    case "never":
      return node;
    case "element-count":
    case "after-processing-time":
    case "after-synchronized-processing-time":
      return { ...node, heard: [...node.heard, now] };
    case "after-end-of-window":
      return told((_, i) => (i === 0 ? !node.pastEnd || merging : node.pastEnd));
    case "repeat":
    case "after-all":
    case "after-any":
    case "or-finally":
      return told((part) => !part.finished);
    case "after-each":
      return told((_, i) => (merging ? i >= turn(node) : i === turn(node)));
  }
}

function isReady(node: Node, moment: Moment): boolean {
  const { trigger, heard, parts } = node;
  switch (trigger.kind) {
    case "default":
      return moment.ended;
    case "always":
      return true;
    case "never":
      return false;
    case "element-count":
      return heard.length >= trigger.count;
    case "after-processing-time":
    case "after-synchronized-processing-time":
      return wakes(node).some((time) => time <= moment.now);
    case "after-end-of-window":
      return node.pastEnd ? isReady(parts[1], moment) : moment.ended || isReady(parts[0], moment);
    case "repeat":
      return isReady(parts[0], moment);
    case "after-all":
      return parts.every((part) => part.finished || isReady(part, moment));
    case "after-any":
    case "or-finally":
      return parts.some((part) => !part.finished && isReady(part, moment));
    case "after-each":
      return parts
        .slice(turn(node))
        .slice(0, 1)
        .some((part) => isReady(part, moment));
  }
}

/** What becomes of a trigger that was ready. */
function fire(node: Node, moment: Moment): Node {
  const { trigger, parts } = node;
  const fireIfReady = (part: Node): Node => (!part.finished && isReady(part, moment) ? fire(part, moment) : part);
  switch (trigger.kind) {
    case "default":
    case "always":
    case "never":
      return node;
    case "element-count":
    case "after-processing-time":
    case "after-synchronized-processing-time":
      return { ...node, heard: [], finished: true };
    case "after-end-of-window": {
      const [early, late] = parts;
      if (node.pastEnd) return { ...node, parts: [anew(early), fire(late, moment)] };
      if (!moment.ended) return { ...node, parts: [fire(early, moment), late] };
      return { ...node, pastEnd: true, finished: trigger.late === undefined, parts: [anew(early), anew(late)] };
    }
    case "repeat": {
      const fired = fire(parts[0], moment);
      return { ...node, parts: [fired.finished ? anew(fired) : fired] };
    }
    case "after-all":
      return { ...node, parts: parts.map(fireIfReady), finished: true };
    case "after-any":
      return { ...node, parts: parts.map((part) => (isReady(part, moment) ? fireIfReady(part) : anew(part))), finished: true };
    case "after-each": {
      const at = turn(node);
      const fired = parts.map((part, i) => (i < at ? part : i === at ? fire(part, moment) : anew(part)));
      return { ...node, parts: fired, finished: fired.every(isFinished) };
    }
    case "or-finally": {
      const fired = parts.map(fireIfReady);
      return { ...node, parts: fired, finished: isReady(parts[1], moment) || fired.some(isFinished) };
    }
  }
}

/** What the same trigger of several windows becomes when they merge, at the moment of the merged window. */
function join(nodes: readonly Node[], moment: Moment): Node {
  const fresh = anew(nodes[0]);
  const { trigger } = fresh;
  const heard = nodes.flatMap((node) => node.heard).sort((a, b) => a - b);
  const parts = fresh.parts.map((_, i) =>
    join(
      nodes.map((node) => node.parts[i]),
      moment,
    ),
  );
  switch (trigger.kind) {
    case "default":
    case "always":
    case "never":
      return fresh;
    case "element-count":
      return nodes.some(isFinished) ? { ...fresh, finished: true } : { ...fresh, heard };
    case "after-processing-time":
    case "after-synchronized-processing-time":
      return { ...fresh, heard, finished: nodes.every(isFinished) };
    case "after-end-of-window":
      if (!moment.ended || !nodes.every(({ pastEnd }) => pastEnd)) return { ...fresh, parts: [parts[0], fresh.parts[1]] };
      return { ...fresh, pastEnd: true, finished: trigger.late === undefined, parts };
    case "repeat":
      return { ...fresh, parts };
    case "after-all":
      return { ...fresh, parts, finished: parts.every(isFinished) };
    case "after-any":
    case "or-finally":
      return { ...fresh, parts, finished: parts.some(isFinished) };
    case "after-each": {
      const at = turn({ ...fresh, parts });
      return { ...fresh, parts: parts.map((part, i) => (i <= at ? part : anew(part))), finished: parts.every(isFinished) };
    }
  }
}

/** The times that a trigger waits for. */
function wakes(node: Node): readonly number[] {
  const { trigger, heard, parts } = node;
  switch (trigger.kind) {
    case "after-processing-time":
      return heard.slice(0, 1).map((arrival) => trigger.steps.reduce(stepFrom, arrival));
    case "after-synchronized-processing-time":
      return heard.slice(0, 1).map((arrival) => arrival + 1);
    case "after-end-of-window":
      return wakes(parts[node.pastEnd ? 1 : 0]);
    case "after-each":
      return parts.slice(turn(node)).slice(0, 1).flatMap(wakes);
    default:
      return parts.filter((part) => !part.finished).flatMap(wakes);
  }
}

function stepFrom(time: number, step: DelayStep): number {
  if ("delayMs" in step) return time + step.delayMs;
  let aligned = time;
  while ((aligned - step.offsetMs) % step.alignToMs !== 0) aligned++;
  return aligned;
}

const hasPaneAtEnd = (trigger: Trigger): boolean =>
  trigger.kind === "default" || trigger.kind === "after-end-of-window" || partsOf(trigger).some(hasPaneAtEnd);

/** A pane that comes out. */
export interface ModelPane {
  readonly key: string;
  readonly values: readonly number[];
  readonly window: Window;
  readonly timestamp: Timestamp;
  readonly pane: PaneInfo;
}

/** An element that a window has taken. */
interface Taken {
  readonly value: number;
  /** The pane that it came out in; undefined as long as it has not. */
  pane: PaneInfo | undefined;
}

/** A key and window, with all that ever happened to it. */
interface Cell {
  readonly key: string;
  readonly window: Window;
  readonly taken: readonly Taken[];
  readonly panes: readonly PaneInfo[];
  readonly trigger: Node;
  readonly closed: boolean;
  /** The timestamps that count for the next pane. */
  readonly stamps: readonly Timestamp[];
  /** Whether the pane at the end of the window is out, or cannot come any more. */
  readonly onTimeIsOver: boolean;
}

/** Groups the elements of a few keys, as GroupIntoPanes ought to. Each event returns the panes that it makes come out. */
export class TriggerModel {
  droppedLate = 0;
  droppedClosed = 0;
  private watermark: Timestamp = MIN_TIMESTAMP;
  private now = 0;
  private cells: readonly Cell[] = [];
  private out: ModelPane[] = [];

  constructor(private readonly strategy: GroupingStrategy) {}

  element(key: string, value: number, timestamp: Timestamp, windows: readonly Window[]): readonly ModelPane[] {
    for (const window of windows) {
      const before = this.cells.filter((cell) => cell.key === key && this.belongTogether(cell.window, window));
      const into = before.map((cell) => cell.window).reduce(spanOf, window);
      if (this.isExpired(into)) this.droppedLate++;
      else {
        const cell = this.merged(key, before, into);
        if (cell.closed) this.droppedClosed++;
        this.replace(before, cell.closed ? cell : this.asked(this.take(cell, value, timestamp)));
      }
    }
    return this.panes();
  }

  moveWatermark(watermark: Timestamp): readonly ModelPane[] {
    const before = this.watermark;
    this.watermark = watermark;
    for (const cell of this.cells) {
      if (this.isExpired(cell.window)) this.expire(cell);
      else if (cell.window.maxTimestamp >= before && this.hasEnded(cell.window)) this.replace([cell], this.atEnd(cell));
    }
    return this.panes();
  }

  moveClock(now: number): readonly ModelPane[] {
    const before = this.now;
    this.now = now;
    for (const cell of this.cells)
      if (!cell.closed && wakes(cell.trigger).some((time) => time > before && time <= now)) this.replace([cell], this.asked(cell));
    return this.panes();
  }

  /** Key and window pairs that something is kept of. */
  get size(): number {
    return this.cells.length;
  }

  private panes(): readonly ModelPane[] {
    const { out } = this;
    this.out = [];
    return out;
  }

  private replace(before: readonly Cell[], ...after: readonly Cell[]): void {
    this.cells = [...this.cells.filter((cell) => !before.includes(cell)), ...after];
  }

  private hasEnded({ maxTimestamp }: Window): boolean {
    return this.watermark > maxTimestamp;
  }

  private isExpired({ maxTimestamp }: Window): boolean {
    return this.watermark > maxTimestamp + this.strategy.allowedLatenessMs;
  }

  private belongTogether(a: Window, b: Window): boolean {
    if (!(a instanceof IntervalWindow && b instanceof IntervalWindow)) return a === b;
    if (this.strategy.merge === undefined) return a.start === b.start && a.end === b.end;
    return a.start < b.end && b.start < a.end;
  }

  /** The cell that takes an element: a new one, the one that is there, or what several become. */
  private merged(key: string, before: readonly Cell[], window: Window): Cell {
    if (before.length === 1 && before[0].window.toString() === window.toString()) return before[0];
    const open = before.filter(({ closed }) => !closed);
    // A window in which the trigger has finished has nothing to add, unless there is no other.
    const triggers = (open.length > 0 ? open : before).map(({ trigger }) => trigger);
    const trigger = triggers.length === 0 ? start(this.strategy.trigger) : join(triggers, this.moment(window));
    return {
      key,
      window,
      taken: open.flatMap(({ taken }) => taken),
      panes: [],
      trigger,
      closed: trigger.finished,
      stamps: open.flatMap(({ stamps }) => stamps),
      onTimeIsOver: this.hasEnded(window),
    };
  }

  private take(cell: Cell, value: number, timestamp: Timestamp): Cell {
    const stamp = this.strategy.outputTime?.(timestamp, cell.window) ?? timestamp;
    return {
      ...cell,
      taken: [...cell.taken, { value, pane: undefined }],
      stamps: stamp < this.watermark ? cell.stamps : [...cell.stamps, stamp],
      trigger: hear(cell.trigger, this.now, this.strategy.merge !== undefined),
    };
  }

  private asked(cell: Cell): Cell {
    const moment = this.moment(cell.window);
    if (cell.closed || !isReady(cell.trigger, moment)) return cell;
    const trigger = fire(cell.trigger, moment);
    return { ...this.pane(cell, trigger.finished, hasPaneAtEnd(this.strategy.trigger)), trigger, closed: trigger.finished };
  }

  private atEnd(before: Cell): Cell {
    const cell = this.asked(before);
    if (cell.taken.every(({ pane }) => pane !== undefined)) return { ...cell, onTimeIsOver: true };
    return cell.stamps.length > 0 ? cell : { ...cell, stamps: [cell.window.maxTimestamp] };
  }

  private expire(cell: Cell): void {
    const isDue = hasPaneAtEnd(this.strategy.trigger) && isReady(cell.trigger, this.moment(cell.window));
    if (!cell.closed) this.pane(cell, true, isDue);
    this.replace([cell]);
  }

  /** @param isDue whether a pane at the end of the window would be due even if it is empty */
  private pane(cell: Cell, isLast: boolean, isDue: boolean): Cell {
    const { strategy } = this;
    const { key, window, taken, panes, onTimeIsOver, stamps } = cell;
    const isEarly = !this.hasEnded(window);
    const timing = isEarly ? PaneTiming.EARLY : onTimeIsOver ? PaneTiming.LATE : PaneTiming.ON_TIME;
    const news = taken.filter(({ pane }) => pane === undefined);
    const emptyIsWanted = (isDue && timing === PaneTiming.ON_TIME && strategy.emptyOnTimePane) || (isLast && strategy.emptyFinalPane);
    const next: Cell = { ...cell, onTimeIsOver: onTimeIsOver || !isEarly };
    if (news.length === 0 && !emptyIsWanted) return next;
    const notEarly = panes.filter((earlier) => earlier.timing !== PaneTiming.EARLY).length;
    const pane: PaneInfo = {
      isFirst: panes.length === 0,
      isLast,
      timing,
      index: panes.length,
      nonSpeculativeIndex: isEarly ? -1 : notEarly,
    };
    const timestamp = {
      "end-of-window": window.maxTimestamp,
      earliest: stamps.length === 0 ? window.maxTimestamp : Math.min(...stamps),
      latest: stamps.length === 0 ? window.maxTimestamp : Math.max(...stamps),
    }[strategy.timestampCombiner];
    const values = (strategy.accumulating ? taken : news).map(({ value }) => value);
    this.out.push({ key, values, window, timestamp, pane });
    return { ...next, taken: taken.map((each) => ({ ...each, pane: each.pane ?? pane })), panes: [...panes, pane], stamps: [] };
  }

  private moment(window: Window): Moment {
    return { ended: this.hasEnded(window), now: this.now };
  }
}

function spanOf(a: Window, b: Window): Window {
  if (!(a instanceof IntervalWindow && b instanceof IntervalWindow)) return a;
  return new IntervalWindow(Math.min(a.start, b.start), Math.max(a.end, b.end));
}
