import type { ErrorSite, UserCodeError } from "../../portability/stage-host/index.js";
import type { Receiver } from "../../portability/values/index.js";
import { BundleLog } from "./bundle-log.js";
import type { BundleParticipant } from "./bundle-participant.js";
import type { ElementBatch } from "./element-batch.js";
import type { HeadOperator } from "./head.js";
import type { Outbox } from "./outbox.js";
import type { Pacer } from "./pacer.js";
import { Replay, siteOfTimer } from "./replay.js";
import type { RuntimeOptions } from "./runtime-options.js";
import type { Pick } from "./shuffle.js";
import type { StageRunner } from "./stage-runner.js";

/** Elements in a bundle, at most, where bundles end at random. */
const SHUFFLED_ELEMENTS = 8;

export interface BundleParts {
  readonly stage: StageRunner;
  readonly outbox: Outbox;
  /** What else takes part. */
  readonly participants: readonly BundleParticipant[];
  readonly pacer: Pacer;
  readonly options: RuntimeOptions;
  /** Where it is given, bundles end at random. */
  readonly pick: Pick | undefined;
}

/**
 * The bundles of a task, one at a time: what goes to the stage between the begin and the commit of one shows as a whole, or comes again.
 *
 * The order of calls is (`begin` `finish` `commit` | `begin` .. `rollback`)*; elements go to the stage between begin and finish.
 *
 * - B1. What was given to the stage is kept until the commit: ranges of batches are told by {@link gave}, what a head emits passes through
 *   {@link emit} and {@link emitLate}.
 * - B2. After a rollback {@link replay} has all of that. It is there until the last element of it is committed; nothing else may be given
 *   to the stage until then.
 * - B3. Participants are told of a commit when the stage has finished; the head first, and the outbox before what is not part of the runtime.
 * - B4. Output that has gone before the end cannot be taken back ({@link letGo}): the failure of such a bundle is final.
 */
export class Bundle {
  isOpen = false;
  /** Elements of the open bundle, and timers. */
  elements = 0;
  /** How many of them it may have. */
  limit = 0;
  /** A bundle that has failed and is under way once more (B2). */
  replay: Replay | undefined;
  /** Bundles that were committed. */
  committed = 0;
  /** Bundles that failed and were tried again. */
  retries = 0;
  /** Bundles whose output went before their end. */
  bundlesLetGo = 0;
  private head: HeadOperator | undefined;
  private readonly log = new BundleLog();
  private readonly stage: StageRunner;
  private readonly participants: readonly BundleParticipant[];

  constructor(private readonly parts: BundleParts) {
    this.stage = parts.stage;
    this.participants = [parts.outbox, ...parts.participants];
  }

  /** The head takes part from now on (B3). */
  opened(head: HeadOperator): void {
    this.head = head;
  }

  /** Whether it should end. */
  get isEnough(): boolean {
    const { pacer, outbox, options } = this.parts;
    return this.elements >= this.limit || pacer.bundleIsOver() || outbox.holdsEnough || this.log.bytes >= options.bundleBytes;
  }

  /** Elements may be given to the stage when it returns, or the promise has resolved. */
  begin(): void | Promise<void> {
    this.isOpen = true;
    this.elements = 0;
    this.limit = this.nextLimit();
    this.parts.pacer.startBundle();
    for (const participant of this.participants) participant.begin();
    return this.stage.startBundle();
  }

  /** Elements of a batch were given to the stage as they are. */
  gave(batch: ElementBatch, from: number, to: number): void {
    this.log.addRange(batch, from, to);
  }

  /** What a head emits to. */
  readonly emit: Receiver = (value, meta) => {
    this.log.add(value, meta);
    this.stage.receive(value, meta);
  };

  /** The same for what came too late to be grouped. */
  readonly emitLate: Receiver = (value, meta) => {
    this.log.addLate(value, meta);
    this.stage.receiveLate(value, meta);
  };

  /** It may be committed when it returns, or the promise has resolved. */
  finish(): void | Promise<void> {
    return this.stage.finishBundle();
  }

  commit(): void {
    this.isOpen = false;
    this.committed++;
    this.log.clear();
    this.head?.committed?.();
    for (const participant of this.participants) participant.commit();
    this.replay?.commit();
    if (this.replay?.isCommitted === true) this.replay = undefined;
  }

  /**
   * The stage has failed, in a bundle or when it was to be set up for one: takes back what was done. If that is not to be tried again
   * nothing is taken back, and the error is returned with what is known of its site.
   */
  rollback(error: UserCodeError): UserCodeError | undefined {
    const { outbox } = this.parts;
    if (this.isOpen && !outbox.holding) return error.at({ attempts: 1 }); // B4
    const replay = (this.replay ??= this.replayOfLog());
    const mayTryAgain = replay.fail();
    if (!mayTryAgain || error.isPermanent) return this.located(error, replay);
    this.retries++;
    if (this.isOpen) {
      this.head?.rolledBack?.();
      for (const participant of this.participants) participant.rollback();
    }
    this.isOpen = false;
    replay.rewind();
    return undefined;
  }

  /** B4: where output of a single element is more than can be held, the bundle's only way to its end is that it goes. */
  letGo(): void {
    this.bundlesLetGo++;
    this.parts.outbox.letGo();
  }

  private nextLimit(): number {
    const { options, pick } = this.parts;
    const { replay } = this;
    if (replay?.isLast === true && !replay.isDelivered) return 1; // Replay, R2
    const most = this.stage.keyed === undefined ? options.bundleElements : Math.min(options.bundleElements, options.statefulBundleElements);
    return pick === undefined ? most : 1 + pick(Math.min(SHUFFLED_ELEMENTS, most));
  }

  private replayOfLog(): Replay {
    const { bundleAttempts, retryDelayMs } = this.parts.options;
    const { late } = this.log;
    return new Replay(this.log.take(), late, bundleAttempts, retryDelayMs);
  }

  private located(error: UserCodeError, replay: Replay): UserCodeError {
    const { stage } = this;
    const known = stage.firing === undefined ? replay.culprit(stage.isKeyed) : siteOfTimer(stage.firing);
    const attempts = error.isPermanent ? undefined : replay.failures;
    return error.at({ ...known, ...definedOf(error.site), attempts });
  }
}

/** The properties that have a value. */
function definedOf(site: ErrorSite): Partial<ErrorSite> {
  return Object.fromEntries(Object.entries(site).filter(([, value]) => value !== undefined)) as Partial<ErrorSite>;
}
