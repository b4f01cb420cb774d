// The operator that processes restrictions: one call of the author's function at a time, which claims what it does and may be cut short.
import type { Progress, Residual, RestrictionContext } from "../../portability/stage-host/index.js";
import { MAX_TIMESTAMP, type ElementMeta, type Receiver, type Timestamp } from "../../portability/values/index.js";
import type { SplittableDoFn } from "../model/do-fn.js";
import type { RestrictionTracker, WatermarkEstimator } from "../model/restriction.js";
import { withSideInputs } from "./element-context.js";
import { emitAll } from "./iteration.js";
import type { Operator, OperatorScope } from "./operator.js";
import { isThenable } from "./ordered-calls.js";
import { CallContext, portsOf, type Port } from "./par-do-operator.js";
import { sized, type Sized } from "./restriction-steps.js";
import type { SideInputView } from "./side-input-view.js";

/** The restriction that a call works on. */
interface Work {
  readonly element: unknown;
  readonly meta: ElementMeta;
  readonly tracker: RestrictionTracker<unknown, unknown>;
  readonly estimator: WatermarkEstimator<unknown>;
  readonly isTruncated: boolean;
  /** What was split off. */
  readonly residuals: Omit<Residual, "delayMs">[];
  hasClaimed: boolean;
  /** What `resume` was called with. */
  delayMs: number | undefined;
}

/** Of what is left, to be kept. */
const HALF = 0.5;

/** What a call sees of its restriction; start and end are those of an offset range. */
class Claims {
  constructor(
    private readonly tracker: RestrictionTracker<unknown, unknown>,
    readonly tryClaim: (position: unknown) => boolean,
  ) {}

  get restriction(): unknown {
    return this.tracker.restriction;
  }

  get start(): unknown {
    return (this.tracker.restriction as { readonly start?: unknown } | undefined)?.start;
  }

  get end(): unknown {
    return (this.tracker.restriction as { readonly end?: unknown } | undefined)?.end;
  }
}

class SplittableCallContext extends CallContext {
  range: Claims | undefined;
  watermark: unknown;

  constructor(
    ports: readonly Port[],
    tagged: boolean,
    local: unknown,
    scope: OperatorScope,
    readonly now: () => number,
    readonly resume: (delayMs?: number) => undefined,
    readonly onCommitted: (callback: () => void | Promise<void>, options: { readonly expireAfterMs: number }) => void,
  ) {
    super(ports, tagged, local, scope);
  }
}

export function splittableOperator(
  doFn: SplittableDoFn,
  outputs: ReadonlyMap<string, Receiver>,
  scope: OperatorScope,
  views: ReadonlyMap<string, SideInputView>,
): Operator {
  if (scope.restrictions === undefined)
    throw new Error(`transform "${scope.name}" is splittable, and its runner keeps no residuals for it`);
  return new SplittableProcessing(doFn, outputs, scope, views, scope.restrictions).operator();
}

class SplittableProcessing {
  private readonly Context: new (...args: ConstructorParameters<typeof SplittableCallContext>) => SplittableCallContext;
  private readonly ports: readonly Port[];
  private readonly tagged: boolean;
  private readonly main: Receiver;
  private local: unknown;
  private work: Work | undefined;
  private context: SplittableCallContext | undefined;
  /** Whether the author's function has been called and has not returned: nobody else has a turn then. */
  private isInCall = false;
  /** The call that has not settled. */
  private pending: { readonly settled: Promise<void>; readonly value: unknown } | undefined;

  constructor(
    private readonly doFn: SplittableDoFn,
    outputs: ReadonlyMap<string, Receiver>,
    private readonly scope: OperatorScope,
    views: ReadonlyMap<string, SideInputView>,
    private readonly restrictions: RestrictionContext,
  ) {
    this.Context = withSideInputs(SplittableCallContext, views);
    this.tagged = !(doFn.tags.length === 1 && doFn.tags[0] === "out");
    const observed = new Map([...outputs].map(([tag, next]) => [tag, this.observed(next)]));
    this.main = this.tagged ? () => undefined : observed.get("out")!;
    this.ports = portsOf(observed);
  }

  operator(): Operator {
    const { scope, doFn } = this;
    return {
      receive: (value, meta) => this.receive(value as Sized, meta),
      split: (fraction) => this.split(fraction),
      progress: () => this.progress(),
      setup: async () => {
        try {
          this.local = await doFn.spec.setup?.({ atEnd: scope.atEnd, checkpoints: scope.checkpoints });
        } catch (cause) {
          throw scope.userError("setup failed", cause);
        }
      },
      blocked: () => this.pending?.settled,
      isBlocked: () => this.pending !== undefined,
      pending: () => this.pending,
      finishBundle: () => this.pending?.settled,
      teardown: async () => {
        try {
          await doFn.spec.teardown?.({ local: this.local });
        } catch (cause) {
          throw scope.userError("teardown failed", cause);
        }
      },
      abort: () => {
        if (this.context !== undefined) this.context.active = false;
        this.work = undefined;
      },
    };
  }

  private receive(value: Sized, meta: ElementMeta): void {
    const { key: element, value: restriction } = value.key;
    const truncation = this.restrictions.truncation(value);
    const begin = (left: unknown): Promise<void> | undefined =>
      left === undefined || this.scope.stopped() ? undefined : this.begin(element, meta, left, restriction.value, truncation !== "none");
    const left = truncation === "due" ? this.truncated(element, meta, restriction.key) : restriction.key;
    const rest = isThenable(left) ? this.afterTruncating(element, left).then(begin) : begin(left);
    if (rest !== undefined) this.hold(element, rest);
  }

  private async afterTruncating(element: unknown, truncated: PromiseLike<unknown>): Promise<unknown> {
    try {
      return await truncated;
    } catch (cause) {
      throw this.scope.userError("truncate rejected its promise", cause, element);
    }
  }

  /** What is left to do once nothing more is taken from outside; undefined for nothing. */
  private truncated(element: unknown, meta: ElementMeta, restriction: unknown): unknown {
    const { spec } = this.doFn;
    try {
      if (spec.truncate !== undefined) return spec.truncate(element, restriction, this.contextOf(meta));
      return spec.tracker(restriction, element).isBounded ? restriction : undefined;
    } catch (cause) {
      throw this.scope.userError("truncate failed", cause, element);
    }
  }

  /** A promise if the work goes on. */
  private begin(
    element: unknown,
    meta: ElementMeta,
    restriction: unknown,
    state: unknown,
    isTruncated: boolean,
  ): Promise<void> | undefined {
    const { scope, doFn, restrictions, tagged, main } = this;
    const own = this.contextOf(meta);
    let result: unknown;
    try {
      const tracker = doFn.spec.tracker(restriction, element);
      const estimator = doFn.watermark.estimator(state, () => restrictions.now());
      const work: Work = { element, meta, tracker, estimator, isTruncated, residuals: [], hasClaimed: false, delayMs: undefined };
      this.work = work;
      own.range = new Claims(tracker, (position) => this.tryClaim(work, position));
      own.watermark = estimator;
      own.active = true;
      this.isInCall = true;
      result = doFn.spec.process(element, own);
    } catch (cause) {
      throw scope.userError("failed", cause, element);
    } finally {
      this.isInCall = false;
    }
    if (isThenable(result)) return this.afterPromise(element, meta, result);
    const rest = emitAll(tagged ? undefined : result, meta, main, scope);
    if (rest !== undefined) return rest.then(() => this.end());
    this.end();
    return undefined;
  }

  private async afterPromise(element: unknown, meta: ElementMeta, result: PromiseLike<unknown>): Promise<void> {
    const { scope, tagged, main } = this;
    let returned: unknown;
    try {
      returned = await result;
    } catch (cause) {
      throw scope.userError("rejected its promise", cause, element);
    }
    if (scope.stopped()) return;
    await emitAll(tagged ? undefined : returned, meta, main, scope);
    this.end();
  }

  /** The function has come to its end: what is left goes on later, or must not be there. */
  private end(): void {
    const { work, context, scope } = this;
    if (context !== undefined) context.active = false;
    this.work = undefined;
    if (work === undefined || scope.stopped()) return;
    try {
      if (work.delayMs !== undefined) this.splitOff(work, 0);
      work.tracker.checkDone();
    } catch (cause) {
      throw scope.userError("ended before its restriction", cause, work.element);
    }
    for (const residual of work.residuals) this.restrictions.residual({ ...residual, delayMs: work.delayMs ?? 0 });
  }

  private tryClaim(work: Work, position: unknown): boolean {
    if (this.work !== work) {
      if (this.scope.stopped()) return false; // what has failed comes to its end
      throw new Error("a position was claimed after its call had settled: await everything that claims before process returns");
    }
    // A function that neither returns nor yields keeps everybody else waiting: its turn is over when it says so.
    if (work.hasClaimed) {
      if (this.restrictions.shouldShare()) this.splitOff(work, HALF);
      if (this.restrictions.shouldCheckpoint() || (this.isInCall && this.scope.shouldPause())) this.splitOff(work, 0);
    }
    work.hasClaimed = true;
    return work.tracker.tryClaim(position);
  }

  private split(fraction: number): boolean {
    const { work, scope } = this;
    if (work === undefined || (fraction > 0 && !work.hasClaimed)) return false; // what has not begun may have to look first whether there is something
    try {
      return this.splitOff(work, fraction);
    } catch (cause) {
      scope.fail(scope.userError("could not be split", cause, work.element));
      return false;
    }
  }

  private splitOff(work: Work, fraction: number): boolean {
    const { element, meta, tracker, estimator, isTruncated, residuals } = work;
    const watermark = this.checkedWatermark(estimator.current());
    const state = estimator.state();
    const split = tracker.trySplit(fraction);
    if (split === undefined) return false;
    residuals.push({ value: sized(this.doFn.spec, element, split.residual, state), meta, watermark, isTruncated });
    return true;
  }

  private progress(): Progress | undefined {
    return this.work?.tracker.progress();
  }

  private checkedWatermark(watermark: Timestamp): Timestamp {
    if (typeof watermark === "number" && !Number.isNaN(watermark)) return Math.min(watermark, MAX_TIMESTAMP);
    throw new RangeError(`a watermark must be a number of milliseconds, not ${String(watermark)}`);
  }

  private hold(value: unknown, rest: Promise<void>): void {
    const pending = {
      value,
      settled: rest.finally(() => {
        if (this.pending === pending) this.pending = undefined;
      }),
    };
    pending.settled.catch(() => undefined); // who waits for it hears of it
    this.pending = pending;
    this.scope.waits();
  }

  private contextOf(meta: ElementMeta): SplittableCallContext {
    const { Context, ports, tagged, local, scope, restrictions } = this;
    const own = (this.context = new Context(
      ports,
      tagged,
      local,
      scope,
      () => restrictions.now(),
      (delayMs = 0) => this.resume(delayMs),
      (callback, { expireAfterMs }) => this.onCommitted(callback, expireAfterMs),
    ));
    own.meta = meta;
    return own;
  }

  private resume(delayMs: number): undefined {
    if (!(delayMs >= 0)) throw new RangeError(`resume() takes milliseconds of at least 0, not ${delayMs}`);
    if (this.work !== undefined) this.work.delayMs = delayMs;
    else if (!this.scope.stopped()) throw new Error("resume() was called after its call had settled");
    return undefined;
  }

  private onCommitted(callback: () => void | Promise<void>, expireAfterMs: number): void {
    if (!this.doFn.finalizes) throw new Error("onCommitted() is for splittable ParDos that say `finalizes: true`");
    const { scope, work } = this;
    if (work === undefined) throw new Error("onCommitted() was called after its call had settled");
    if (scope.onCommitted === undefined) throw new Error("its runner does not tell when a bundle is durable");
    const { element } = work;
    scope.onCommitted(async () => {
      try {
        await callback();
      } catch (cause) {
        throw scope.userError("onCommitted failed", cause, element);
      }
    }, expireAfterMs);
  }

  private observed(next: Receiver): Receiver {
    return (value, meta) => {
      this.work?.estimator.observe?.(meta.timestamp);
      next(value, meta);
    };
  }
}
