// The head of a stateful stage: delivers elements and timers one at a time, each with the state of its key and window selected.
//
// H1. An element of several windows is delivered once for each.
// H2. Timers of event time fire when the input watermark has reached them, and before their window expires; windows expire when it has passed
//     their end and the allowed lateness. Everything happens by ascending time, whenever it was set.
// H3. At the end of input nothing waits for processing time: the timers that are set fire at once, before windows expire. One that such a
//     timer sets then is dropped, or it would go on for ever.
//     Where the job is drained, so it is with a timer of event time in the global window, which has no end to stop at.
// H4. The watermark waits for windows whose expiration is told, since what is put out then is at their end.
// H5. A timer, or an expiration that is told, waits until its window is ready, which side inputs make it; so do those behind it, and the watermark.
// H6. Where the elements of a key and window are wanted by time, time in here is behind the watermark by the allowed lateness: elements wait until it
//     has reached them, timers and expirations come in their order among them, and what is behind it is dropped. The watermark waits for all of them.
// H7. Where timers are set late, what could still come in between is not overtaken: once a key has been told of something in a bundle, it is told of
//     nothing more by time but what is due at the same instant, and windows expire in bundles of their own. The rest is for the next bundle.
import type { FiredTimer, StageExecutor } from "../../portability/stage-host/index.js";
import {
  ElementMeta,
  MAX_TIMESTAMP,
  MIN_TIMESTAMP,
  type KV,
  type Receiver,
  type Timestamp,
  type Window,
} from "../../portability/values/index.js";
import type { WaitingElement } from "./sorted-elements.js";
import { ToldKeys } from "./told-keys.js";
import { WindowExpiration } from "./window-expiration.js";
import type { KeyedStore } from "./keyed-store.js";
import type { FamilySpec } from "./keyed-spec.js";

/** What a head delivers to, beside elements. */
export interface KeyedTarget extends Pick<StageExecutor, "blocked" | "setsTimersLate"> {
  fire?(timer: FiredTimer): void;
  /** The rest has to wait until the bundle is over (H7). */
  endBundleSoon?(): void;
}

export interface KeyedHeadOptions {
  /** H5: whether functions may be called for a window; without it they always may. Once true it stays true. */
  readonly isReady?: ((window: Window) => boolean) | undefined;
  /** Whether elements go to the transform, as they do without it; if not they go somewhere in front of it, which selects for itself. */
  readonly delivers?: boolean;
}

export class KeyedHead {
  readonly relays = true;
  readonly droppedClosed = 0;
  droppedLate = 0;
  /** Without those of the bundle under way. */
  private droppedBefore = 0;
  readonly process: Receiver;
  private watermark: Timestamp = MIN_TIMESTAMP;
  /** H6: event time as far as it has come in here. */
  private time: Timestamp = MIN_TIMESTAMP;
  private now: Timestamp = -Infinity;
  private isDraining = false;
  /** H1: what could not be delivered at once. */
  private waiting: readonly WaitingElement[] = [];
  /** What was waiting when the bundle under way began. */
  private waitingBefore: readonly WaitingElement[] = [];
  private readonly expiration: WindowExpiration;
  private readonly isReady: KeyedHeadOptions["isReady"];
  /** H7; undefined where timers are set at once. */
  private readonly told: ToldKeys | undefined;

  constructor(
    private readonly store: KeyedStore,
    private readonly receive: Receiver,
    private readonly executor: KeyedTarget,
    { isReady, delivers = true }: KeyedHeadOptions = {},
  ) {
    this.isReady = isReady;
    this.expiration = new WindowExpiration(store, executor);
    if (executor.setsTimersLate === true) this.told = new ToldKeys(store.spec.families.length > 0);
    this.process = !delivers ? receive : store.spec.isTimeSorted === true ? this.keep : this.pass;
  }

  private readonly pass: Receiver = (element, meta) => {
    if (meta.windows.length === 1) return this.deliver(element, meta);
    let isBlocked = false;
    for (const window of meta.windows) {
      const single = new ElementMeta(meta.timestamp, [window], meta.pane);
      if (isBlocked) {
        this.waiting = [...this.waiting, { element, meta: single }];
        continue;
      }
      this.deliver(element, single);
      isBlocked = this.executor.blocked() !== undefined;
    }
  };

  /** H6 */
  private readonly keep: Receiver = (element, meta) => {
    for (const window of meta.windows) {
      if (meta.timestamp < this.time || !this.store.select((element as KV<unknown, unknown>).key, window)) this.droppedLate++;
      else this.store.keep({ element, meta: meta.windows.length === 1 ? meta : new ElementMeta(meta.timestamp, [window], meta.pane) });
    }
  };

  advance(watermark: Timestamp): void {
    const { isTimeSorted, lagMs = 0 } = this.store.spec;
    this.watermark = watermark;
    this.time = isTimeSorted === true && watermark < MAX_TIMESTAMP ? Math.max(MIN_TIMESTAMP, watermark - lagMs) : watermark;
    this.store.inputWatermark = this.time;
  }

  beginDrain(): void {
    this.isDraining = true;
  }

  get deadline(): Timestamp {
    const { next } = this.store.pendingTimers.processing;
    return next <= this.now ? Infinity : next; // H5: one whose time has come waits for something else
  }

  advanceTime(now: Timestamp): void {
    this.now = now;
  }

  get draining(): boolean {
    return this.waiting.length > 0 || this.nextStep() !== undefined;
  }

  drain(pause: () => boolean): boolean {
    for (;;) {
      if (pause()) return false; // also behind the last: it may have begun something
      const delivery = this.waiting[0];
      if (delivery !== undefined) {
        this.waiting = this.waiting.slice(1);
        this.deliver(delivery.element, delivery.meta);
        continue;
      }
      const step = this.nextStep();
      if (step === undefined) return true;
      if (this.told !== undefined && this.mustWait(step, this.told)) {
        this.executor.endBundleSoon?.();
        return false;
      }
      step();
    }
  }

  hold(): Timestamp {
    const { event, sorting, hold } = this.store.pendingTimers;
    const timer = event.next <= this.watermark ? event.next : Infinity; // H5, H6
    return Math.min(hold, timer, sorting.next, this.expiration.hold);
  }

  /** The earliest instant of event time at which there is something to do: of what waits (H5), or will be. */
  get nextInstant(): Timestamp {
    return Math.min(this.store.pendingTimers.event.next, this.expiration.next);
  }

  committed(): void {
    this.droppedBefore = this.droppedLate;
    this.waitingBefore = this.waiting;
    this.expiration.commit();
    this.store.commit();
    this.told?.clear();
  }

  /** Takes back what the bundle has done: of the windows that wait, those of its own elements come with these again. */
  rolledBack(): void {
    this.droppedLate = this.droppedBefore;
    this.waiting = this.waitingBefore;
    this.expiration.rollback();
    this.store.rollback();
    this.told?.clear();
  }

  private deliver(element: unknown, meta: ElementMeta): void {
    if (!this.store.select((element as KV<unknown, unknown>).key, meta.windows[0])) {
      this.droppedLate++;
      return;
    }
    this.told?.add(this.store.selected, "element", NaN);
    this.receive(element, meta);
  }

  /** H7 */
  private mustWait(step: () => void, told: ToldKeys): boolean {
    if (step === this.expire) return !told.isEmpty;
    const domain = step === this.fireEvent ? "event" : step === this.fireProcessing ? "processing" : "sorting";
    const { pendingTimers } = this.store;
    const { next } = pendingTimers.queueOf(domain);
    // What a timer may set at the end of input depends on its domain (H3).
    if (this.watermark === MAX_TIMESTAMP && !told.isAllOf(domain)) return true;
    return !told.mayAdd(pendingTimers.next(domain).record, domain, next);
  }

  /** H2, H3 */
  private nextStep(): (() => void) | undefined {
    const { event, processing } = this.store.pendingTimers;
    const atEnd = this.time === MAX_TIMESTAMP;
    const eventAt = event.next;
    if (this.store.spec.isTimeSorted === true && this.isKeptDue(eventAt)) return this.deliverKept;
    if (eventAt <= this.time && eventAt <= this.expiration.next) return this.hasToWait("event") ? undefined : this.fireEvent;
    const processingAt = processing.next;
    if (processingAt <= this.now || (atEnd && processingAt < Infinity))
      return this.hasToWait("processing") ? undefined : this.fireProcessing;
    if (this.expiration.next >= this.time) return undefined;
    if (this.isReady === undefined) return this.expire;
    const { toldWindow } = this.expiration;
    return toldWindow === undefined || this.isReady(toldWindow) ? this.expire : undefined;
  }

  /** H6 */
  private isKeptDue(eventAt: Timestamp): boolean {
    const { next } = this.store.pendingTimers.sorting;
    return next <= this.time && next <= eventAt && next <= this.expiration.next;
  }

  /** H5 */
  private hasToWait(domain: FamilySpec["domain"]): boolean {
    return this.isReady !== undefined && !this.isReady(this.store.pendingTimers.windowOfNext(domain).window);
  }

  /** H6 */
  private readonly deliverKept = (): void => {
    this.store.takesProcessingTimers = this.store.takesEndlessTimers = true;
    const { element, meta } = this.store.takeKept();
    this.told?.add(this.store.selected, "sorting", meta.timestamp);
    this.receive(element, meta);
  };
  private readonly fireEvent = (): void => {
    this.store.takesProcessingTimers = true;
    this.store.takesEndlessTimers = !(this.isDraining && this.watermark === MAX_TIMESTAMP); // H3
    this.fire("event");
  };
  private readonly fireProcessing = (): void => {
    this.store.takesProcessingTimers = this.watermark < MAX_TIMESTAMP; // H3
    this.fire("processing");
  };
  private readonly expire = (): void => this.expiration.step();

  private fire(domain: FamilySpec["domain"]): void {
    const { store } = this;
    const timers = store.pendingTimers.queueOf(domain);
    const fireAt = timers.dueOf(timers.first);
    const outputAt = timers.noteOf(timers.first);
    const timer = store.pendingTimers.next(domain);
    const { record, family, tag } = timer;
    store.write(record);
    store.pendingTimers.take(timer);
    this.told?.add(record, domain, fireAt);
    this.executor.fire?.(new Fired(family.id, tag, record.key, record.of.window, fireAt, outputAt));
  }
}

class Fired implements FiredTimer {
  constructor(
    readonly family: string,
    readonly tag: string,
    readonly key: unknown,
    readonly window: Window,
    readonly fireAt: Timestamp,
    readonly outputAt: Timestamp,
  ) {}
}
