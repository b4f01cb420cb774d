import {
  ElementMeta,
  IntervalWindow,
  kv,
  MAX_TIMESTAMP,
  MIN_TIMESTAMP,
  ON_TIME_AND_ONLY,
  PaneTiming,
  type KV,
  type PaneInfo,
  type Receiver,
  type Timestamp,
  type Window,
} from "../../portability/values/index.js";
import type { KeySpace, StateKey } from "../store/index.js";
import type { GroupingStrategy } from "./grouping-strategy.js";
import { MergingWindows, span, type Mergeable } from "./merging-windows.js";
import { WatermarkQueue } from "./watermark-queue.js";

/** What is kept of one key and window. */
interface Session extends Mergeable {
  readonly key: StateKey;
  /** Values since the last pane, or all of them where panes accumulate. */
  values: unknown[];
  /** Whether values came since the last pane. */
  fresh: boolean;
  /** Of the values since the last pane: the timestamp their pane will have, but for windows' ends. */
  timestamp: Timestamp;
  earliest: Timestamp;
  firings: number;
  firedOnTime: boolean;
  due: boolean;
  scheduled: boolean;
  /** False once it has become part of another one, or has expired. */
  alive: boolean;
}

/**
 * Groups `KV<K, V>` into `KV<K, V[]>` by key and window under Beam's default trigger, where the windows of a key merge.
 *
 * As {@link GroupByKey}, whose laws G2–G4 hold here, too; besides:
 *
 * - S1. Lateness is judged of the merged window: an element that extends a session which is still alive is not late.
 * - S2. A session waits in each queue once, for the end it had when it began; if it has grown by then it waits again.
 */
export class MergingGroupByKey {
  droppedLate = 0;
  private watermark: Timestamp = MIN_TIMESTAMP;
  private readonly sessions = new Map<StateKey, MergingWindows<Session>>();
  private readonly ends = new WatermarkQueue<Session>();
  private readonly expiries = new WatermarkQueue<Session>();
  private due: Session[] = [];
  /** Sessions with values that their key has not emitted, where timestamps hold the watermark back. */
  private readonly holding = new Set<Session>();

  constructor(
    private readonly strategy: GroupingStrategy,
    private readonly keys: KeySpace,
    private readonly emit: Receiver,
  ) {}

  readonly process = (value: unknown, meta: ElementMeta): void => {
    const pair = value as KV<unknown, unknown>;
    const id = this.keys.identify(pair.key);
    for (const window of meta.windows) this.add(id, pair.value, meta.timestamp, intervalOf(window));
  };

  /** The input watermark has moved: sessions that it passed become due. */
  advance(watermark: Timestamp): void {
    this.watermark = watermark;
    for (let session = this.ends.takePassed(watermark); session !== undefined; session = this.ends.takePassed(watermark)) {
      if (!session.alive) continue;
      const { maxTimestamp } = session.window;
      if (maxTimestamp < watermark) this.makeDue(session);
      else this.ends.add(maxTimestamp, session); // S2
    }
    for (let session = this.expiries.takePassed(watermark); session !== undefined; session = this.expiries.takePassed(watermark)) {
      if (!session.alive) continue;
      if (!this.isExpired(session.window)) this.expiries.add(session.window.maxTimestamp + this.strategy.allowedLatenessMs, session);
      else if (!session.due) this.forget(session); // or when it has fired
    }
  }

  get draining(): boolean {
    return this.due.length > 0;
  }

  /** Emits what is due until nothing is left, then true, or until `pause` says so, then false. */
  drain(pause: () => boolean): boolean {
    for (let at = 0; at < this.due.length; at++) {
      if (pause()) {
        this.due = this.due.slice(at);
        return false;
      }
      const session = this.due[at];
      if (session.alive) this.fire(session); // it may have merged with another one since
    }
    this.due = [];
    return true;
  }

  /** The output watermark may not pass this. */
  hold(): Timestamp {
    let hold = MAX_TIMESTAMP;
    for (const session of this.due) if (session.alive) hold = Math.min(hold, session.window.maxTimestamp);
    for (const { earliest } of this.holding) hold = Math.min(hold, earliest);
    return hold;
  }

  private add(id: StateKey, value: unknown, timestamp: Timestamp, window: IntervalWindow): void {
    let windows = this.sessions.get(id);
    if (windows === undefined) this.sessions.set(id, (windows = new MergingWindows<Session>()));
    const overlapping = windows.takeOverlapping(window.start, window.end);
    const merged = overlapping.reduce((whole, session) => span(whole, session.window), window);
    if (this.isExpired(merged)) {
      // S1. None overlaps then: a session that is alive is not expired, nor is what it becomes part of.
      if (windows.size === 0) this.sessions.delete(id);
      this.droppedLate++;
      return;
    }
    const session = overlapping.length === 0 ? newSession(id, merged) : this.merge(overlapping, merged);
    windows.add(session);
    session.values.push(value);
    this.observe(session, timestamp);
    if (session.window.maxTimestamp < this.watermark) this.makeDue(session);
    this.schedule(session);
  }

  /** Makes the first of them all of them. */
  private merge([first, ...others]: Session[], window: IntervalWindow): Session {
    for (const other of others) {
      for (const value of other.values) first.values.push(value);
      if (other.fresh) this.take(first, other);
      first.firings = Math.max(first.firings, other.firings);
      first.firedOnTime ||= other.firedOnTime;
      other.alive = false;
      this.holding.delete(other);
    }
    if (first.window !== window) {
      first.window = window;
      first.due = false; // if it was: it ends later now, or is made due once more
      this.due = this.due.filter((session) => session !== first);
    }
    return first;
  }

  private take(session: Session, other: Session): void {
    this.observe(session, other.timestamp);
    session.earliest = Math.min(session.earliest, other.earliest);
  }

  /** A value with this timestamp has joined the session. */
  private observe(session: Session, timestamp: Timestamp): void {
    const { timestampCombiner } = this.strategy;
    if (!session.fresh) {
      session.fresh = true;
      session.timestamp = timestamp;
      session.earliest = timestamp;
    } else {
      session.timestamp = timestampCombiner === "latest" ? Math.max(session.timestamp, timestamp) : Math.min(session.timestamp, timestamp);
      session.earliest = Math.min(session.earliest, timestamp);
    }
    if (timestampCombiner !== "end-of-window") this.holding.add(session);
  }

  /** S2 */
  private schedule(session: Session): void {
    if (session.scheduled) return;
    session.scheduled = true;
    const { maxTimestamp } = session.window;
    if (maxTimestamp >= this.watermark) this.ends.add(maxTimestamp, session);
    if (this.strategy.allowedLatenessMs > 0) this.expiries.add(maxTimestamp + this.strategy.allowedLatenessMs, session);
  }

  private makeDue(session: Session): void {
    if (session.due || !session.fresh) return;
    session.due = true;
    this.due.push(session);
  }

  private fire(session: Session): void {
    const { strategy, watermark } = this;
    const { window, values } = session;
    const timestamp = strategy.timestampCombiner === "end-of-window" ? window.maxTimestamp : session.timestamp;
    const meta = new ElementMeta(timestamp, [window], this.nextPane(session));
    session.due = false;
    session.fresh = false;
    session.firedOnTime = true;
    session.values = strategy.accumulating ? [...values] : [];
    this.holding.delete(session);
    this.emit(kv(this.keys.restore(session.key), values), meta);
    if (window.maxTimestamp + strategy.allowedLatenessMs < watermark) this.forget(session);
  }

  private nextPane(session: Session): PaneInfo {
    if (this.strategy.allowedLatenessMs === 0) return ON_TIME_AND_ONLY;
    const index = session.firings++;
    const timing = session.firedOnTime ? PaneTiming.LATE : PaneTiming.ON_TIME;
    return { isFirst: index === 0, isLast: false, timing, index, nonSpeculativeIndex: index };
  }

  private forget(session: Session): void {
    session.alive = false;
    this.holding.delete(session);
    const windows = this.sessions.get(session.key);
    windows?.remove(session);
    if (windows?.size === 0) this.sessions.delete(session.key);
  }

  private isExpired(window: IntervalWindow): boolean {
    return window.maxTimestamp + this.strategy.allowedLatenessMs < this.watermark;
  }
}

function newSession(key: StateKey, window: IntervalWindow): Session {
  return {
    key,
    window,
    values: [],
    fresh: false,
    timestamp: MAX_TIMESTAMP,
    earliest: MAX_TIMESTAMP,
    firings: 0,
    firedOnTime: false,
    due: false,
    scheduled: false,
    alive: true,
  };
}

function intervalOf(window: Window): IntervalWindow {
  if (window instanceof IntervalWindow) return window;
  throw new TypeError(`only intervals merge, not the window ${window.toString()}`);
}
