import type { ErrorSite, UserCodeError } from "../../portability/stage-host/index.js";
import type { Receiver } from "../../portability/values/index.js";
import type { Emit } from "../windows/index.js";
import { BundleLength } from "./bundle-length.js";
import { localBundles, remoteBundles, type BundleLimits } from "./bundle-limits.js";
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
/** B5: a bundle of a source lasts for so many times as long as beginning and ending the one before took, at least. */
const WORTH_IT = 8;

/** That a stage is executed in another process, so that a bundle costs round trips. */
export interface RemoteStage {
  /** Whether somebody may wait for its results, or for a checkpoint, which waits for bundles. */
  readonly isAwaited: boolean;
}

export interface BundleParts {
  readonly stage: StageRunner;
  readonly outbox: Outbox;
  /** What else takes part. */
  readonly participants: readonly BundleParticipant[];
  readonly pacer: Pacer;
  readonly options: RuntimeOptions;
  /** Of a stage in another process: whether somebody may wait for what comes of its bundles. */
  readonly remote?: RemoteStage | undefined;
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
 * - B5. One of a source ends after `sourceBundleMs`, since its output waits for that, and so does the watermark; where it takes its time to begin
 *   or to end one, as where the end writes to a store, the next one lasts for several times as long as that.
 * - B6. One of a stage in another process has as many elements as take about a given time (BundleLength).
 */
export class Bundle {
  isOpen = false;
  /** Elements of the open bundle, timers, and positions that were claimed beyond the first of an element. */
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
  /** B5: milliseconds that it took to begin the bundle, and to end the one before. */
  private startMs = 0;
  private endMs = 0;
  private endsSince = 0;
  private readonly log = new BundleLog();
  private limits!: BundleLimits;
  /** B6 */
  private length: BundleLength | undefined;
  private beganAt = 0;
  private readonly stage: StageRunner;
  private readonly participants: readonly BundleParticipant[];

  constructor(private readonly parts: BundleParts) {
    this.stage = parts.stage;
    this.participants = [parts.outbox, ...parts.participants];
  }

  /** The head takes part from now on (B3). */
  opened(head: HeadOperator): void {
    this.head = head;
    const { options, remote } = this.parts;
    this.limits = remote === undefined ? localBundles(options, this.stage.keyed !== undefined) : remoteBundles(options, remote.isAwaited);
    const { elements, mostElements, withinMs } = this.limits;
    if (withinMs !== undefined) this.length = new BundleLength(elements, mostElements, withinMs);
  }

  /** Whether it should end. */
  get isEnough(): boolean {
    const { pacer, outbox } = this.parts;
    return (
      this.elements >= this.limit ||
      (this.elements > 0 && pacer.bundleIsOver()) ||
      outbox.holdsEnough ||
      this.log.bytes >= this.limits.bytes
    );
  }

  /** A position of a restriction was claimed; true if the bundle should end. */
  claimed(): boolean {
    this.elements++;
    this.parts.pacer.look();
    return this.isEnough;
  }

  /** Elements may be given to the stage when it returns, or the promise has resolved. */
  begin(): void | Promise<void> {
    this.isOpen = true;
    this.elements = 0;
    this.limit = this.nextLimit();
    if (this.length !== undefined) this.beganAt = performance.now();
    this.parts.pacer.startBundle(this.milliseconds());
    for (const participant of this.participants) participant.begin();
    const started = this.stage.startBundle();
    this.startMs = 0;
    if (started === undefined || !this.isOfSource) return started;
    const since = performance.now();
    return started.then(() => void (this.startMs = performance.now() - since));
  }

  /** It should end as soon as it can. */
  endSoon(): void {
    this.limit = this.elements;
  }

  /** Elements of a batch were given to the stage as they are. */
  gave(batch: ElementBatch, from: number, to: number): void {
    this.log.addRange(batch, from, to);
  }

  /** What a head emits to. */
  readonly emit: Emit = (value, meta, from, number) => {
    if (from === undefined) this.log.add(value, meta);
    else this.log.addRepeatable(from, number!);
    this.stage.receive(value, meta);
  };

  /** The same for what came too late to be grouped. */
  readonly emitLate: Receiver = (value, meta) => {
    this.log.addLate(value, meta);
    this.stage.receiveLate(value, meta);
  };

  /** It may be committed when it returns, or the promise has resolved. */
  finish(): void | Promise<void> {
    if (this.isOfSource) this.endsSince = performance.now();
    return this.stage.finishBundle();
  }

  commit(): void {
    this.isOpen = false;
    this.committed++;
    this.length?.ended(this.elements, performance.now() - this.beganAt);
    this.log.clear();
    this.head?.committed?.();
    for (const participant of this.participants) participant.commit();
    this.replay?.commit();
    if (this.replay?.isCommitted === true) this.replay = undefined;
    if (this.isOfSource) this.endMs = performance.now() - this.endsSince;
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

  private get isOfSource(): boolean {
    return this.head?.isSource === true;
  }

  /** How long it may last (B5). */
  private milliseconds(): number {
    const { ms } = this.limits;
    const { sourceBundleMs } = this.parts.options;
    return this.isOfSource ? Math.min(ms, Math.max(sourceBundleMs, (this.startMs + this.endMs) * WORTH_IT)) : ms;
  }

  private nextLimit(): number {
    const { pick } = this.parts;
    const { replay } = this;
    if (replay?.isLast === true && !replay.isDelivered) return 1; // Replay, R2
    const most = this.length?.elements ?? this.limits.elements;
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
