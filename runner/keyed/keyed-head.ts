// The head of a stateful stage: delivers elements and timers one at a time, each with the state of its key and window selected.
//
// H1. An element of several windows is delivered once for each.
// H2. Timers of event time fire when the input watermark has reached them, and before their window expires; windows expire when it has passed
//     their end and the allowed lateness. Everything happens by ascending time, whenever it was set.
// H3. At the end of input nothing waits for processing time: the timers that are set fire at once, before windows expire. One that such a
//     timer sets then is dropped, or it would go on for ever.
// H4. The watermark waits for windows whose expiration is told, since what is put out then is at their end.
import type { StageExecutor } from "../../portability/stage-host/index.js";
import { ElementMeta, MAX_TIMESTAMP, MIN_TIMESTAMP, type KV, type Receiver, type Timestamp } from "../../portability/values/index.js";
import { WindowExpiration } from "./window-expiration.js";
import type { KeyedStore } from "./keyed-store.js";
import type { FamilySpec } from "./keyed-spec.js";

interface Delivery {
  readonly element: unknown;
  readonly meta: ElementMeta;
}

export class KeyedHead {
  readonly relays = true;
  readonly droppedClosed = 0;
  droppedLate = 0;
  /** Without those of the bundle under way. */
  private droppedBefore = 0;
  private watermark: Timestamp = MIN_TIMESTAMP;
  private now: Timestamp = -Infinity;
  /** H1: what could not be delivered at once. */
  private waiting: readonly Delivery[] = [];
  /** What was waiting when the bundle under way began. */
  private waitingBefore: readonly Delivery[] = [];
  private readonly expiration: WindowExpiration;

  constructor(
    private readonly store: KeyedStore,
    private readonly receive: Receiver,
    private readonly executor: Pick<StageExecutor, "blocked" | "fire">,
  ) {
    this.expiration = new WindowExpiration(store, executor);
  }

  readonly process: Receiver = (element, meta) => {
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

  advance(watermark: Timestamp): void {
    this.watermark = this.store.inputWatermark = watermark;
  }

  get deadline(): Timestamp {
    return this.store.pendingTimers.processing.next;
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
      step();
    }
  }

  hold(): Timestamp {
    return Math.min(this.store.pendingTimers.hold, this.expiration.hold);
  }

  committed(): void {
    this.droppedBefore = this.droppedLate;
    this.waitingBefore = this.waiting;
    this.expiration.commit();
    this.store.commit();
  }

  /** Takes back what the bundle has done: of the windows that wait, those of its own elements come with these again. */
  rolledBack(): void {
    this.droppedLate = this.droppedBefore;
    this.waiting = this.waitingBefore;
    this.expiration.rollback();
    this.store.rollback();
  }

  private deliver(element: unknown, meta: ElementMeta): void {
    if (this.store.select((element as KV<unknown, unknown>).key, meta.windows[0])) this.receive(element, meta);
    else this.droppedLate++;
  }

  /** H2, H3 */
  private nextStep(): (() => void) | undefined {
    const { event, processing } = this.store.pendingTimers;
    const atEnd = this.watermark === MAX_TIMESTAMP;
    const eventAt = event.next;
    if (eventAt <= this.watermark && eventAt <= this.expiration.next) return this.fireEvent;
    const processingAt = processing.next;
    if (processingAt <= this.now || (atEnd && processingAt < Infinity)) return this.fireProcessing;
    return this.expiration.next < this.watermark ? this.expire : undefined;
  }

  private readonly fireEvent = (): void => {
    this.store.takesProcessingTimers = true;
    this.fire("event");
  };
  private readonly fireProcessing = (): void => {
    this.store.takesProcessingTimers = this.watermark < MAX_TIMESTAMP; // H3
    this.fire("processing");
  };
  private readonly expire = (): void => this.expiration.step();

  private fire(domain: FamilySpec["domain"]): void {
    const { store } = this;
    const timers = store.pendingTimers[domain];
    const fireAt = timers.next;
    const outputAt = timers.noteOf(timers.first);
    const { record, family, tag } = store.pendingTimers.take(domain);
    store.write(record);
    this.executor.fire?.({ family: family.id, tag, key: record.key, window: record.of.window, fireAt, outputAt });
  }
}
