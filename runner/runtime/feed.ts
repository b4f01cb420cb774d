import type { ElementMeta, Receiver } from "../../portability/values/index.js";
import type { Bundle } from "./bundle.js";
import type { ElementBatch } from "./element-batch.js";
import type { HeadOperator } from "./head.js";
import type { Inbox } from "./inbox.js";
import type { Outbox } from "./outbox.js";
import type { Pacer } from "./pacer.js";
import type { Replay } from "./replay.js";
import type { StageRunner } from "./stage-runner.js";

export interface FeedParts {
  readonly inbox: Inbox;
  readonly head: HeadOperator;
  readonly bundle: Bundle;
  readonly stage: StageRunner;
  readonly outbox: Outbox;
  readonly pacer: Pacer;
  /** Whether elements go to the stage as they come: no head is in between but that of its state. */
  readonly direct: boolean;
}

/**
 * Gives elements to a task's head and stage: those of a batch, what the head has to emit, those of a bundle that has failed.
 *
 * - F1. Each call ends soon after a limit of turn, bundle or outbox is reached, and at once where the stage is blocked: then it returns
 *   the promise to be waited for before the next one.
 * - F2. Each call gets further, by an element or a timer at least, unless the stage is blocked or the turn is over.
 * - F3. What a call has given is told to bundle and counters however it ends. A batch is given back to the inbox behind its last element.
 */
export class Feed {
  /** Elements taken by the head. */
  elementsIn = 0;
  private batch: ElementBatch | undefined;
  /** How many elements of the batch were given. */
  private position = 0;

  constructor(private readonly parts: FeedParts) {}

  /** Whether a batch has been taken and not been given to its end. */
  get hasBatch(): boolean {
    return this.batch !== undefined;
  }

  /** Takes the next batch out of the inbox; false if there is none to be taken now. */
  take(): boolean {
    this.batch = this.parts.inbox.take();
    this.position = 0;
    return this.batch !== undefined;
  }

  /** Gives elements of the batch; a bundle is open if the head relays. */
  giveBatch(): Promise<void> | undefined {
    const { head, bundle, inbox, direct } = this.parts;
    const batch = this.batch!;
    const before = this.position;
    const relays = head.relays === true;
    try {
      return relays ? this.giveStage(batch, Math.min(batch.length, before + bundle.limit - bundle.elements)) : this.giveGrouping(batch);
    } finally {
      const given = this.position - before;
      this.elementsIn += given;
      if (relays) bundle.elements += given;
      if (direct) bundle.gave(batch, before, this.position);
      if (this.position === batch.length) {
        this.batch = undefined;
        inbox.release();
      }
    }
  }

  /** Has the head emit, in the open bundle. */
  drain(): Promise<void> | undefined {
    const { head, stage } = this.parts;
    head.drain(this.pause);
    return head.blocked?.() ?? stage.executor.blocked();
  }

  /** Gives elements of a bundle that has failed, once more; first to fire are its timers that are set again: they come by themselves. */
  giveAgain(replay: Replay): Promise<void> | undefined {
    const { bundle, stage, outbox, pacer } = this.parts;
    const { executor, keyed } = stage;
    if (keyed?.draining === true) {
      keyed.drain(this.pause);
      return executor.blocked();
    }
    while (!replay.isDelivered && bundle.elements < bundle.limit) {
      const at = replay.next();
      bundle.elements++;
      const receive = replay.isLate(at) ? stage.receiveLate : stage.receive;
      receive(replay.valueAt(at), replay.metaAt(at));
      const blocked = executor.blocked();
      if (blocked !== undefined) return blocked;
      if (outbox.pressed || pacer.tick()) break;
    }
    return undefined;
  }

  /** The tight loop of a relay. */
  private giveStage(batch: ElementBatch, end: number): Promise<void> | undefined {
    const { values, metas } = batch;
    const shared: ElementMeta = batch.meta!;
    const { head, stage, outbox, pacer, direct } = this.parts;
    const { executor } = stage;
    const receive: Receiver = direct ? stage.enter() : head.process;
    for (let i = this.position; i < end; i++) {
      this.position = i + 1;
      receive(values[i], metas === undefined ? shared : metas[i]);
      const blocked = executor.blocked();
      if (blocked !== undefined) {
        stage.leave();
        return blocked;
      }
      if (outbox.pressed || pacer.tick()) break;
    }
    stage.leave();
    return undefined;
  }

  /** The tight loop of a grouping, which reaches neither stage nor outbox. */
  private giveGrouping(batch: ElementBatch): undefined {
    const { values, metas, length } = batch;
    const shared: ElementMeta = batch.meta!;
    const { head, pacer } = this.parts;
    const receive: Receiver = head.process;
    for (let i = this.position; i < length; i++) {
      this.position = i + 1;
      receive(values[i], metas === undefined ? shared : metas[i]);
      if (pacer.tick()) return;
    }
  }

  /** Asked by a draining head before each element. */
  private readonly pause = (): boolean => {
    const { stage, bundle, outbox, pacer } = this.parts;
    if (stage.blockedAtAll() !== undefined || outbox.waitsForRoom || pacer.tick()) return true;
    if (bundle.elements > 0 && bundle.isEnough) return true; // F2
    bundle.elements++;
    return false;
  };
}
