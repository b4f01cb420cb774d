import type {
  FiredTimer,
  KeyedState,
  Progress,
  RestrictionContext,
  RunCheckpoints,
  SideInput,
  StageContext,
} from "../../portability/stage-host/index.js";
import type { Receiver } from "../../portability/values/index.js";
import type { EndFunction } from "../model/do-fn.js";
import type { StepMetrics } from "../metrics/step-metrics.js";

/**
 * One transform of an open stage.
 *
 * O1. `receive` is called synchronously, once per element; it calls downstream receivers in input order.
 * O2. An operator with unfinished work (promises, a paused iterable) is *busy*: it keeps what it is given meanwhile.
 */
export interface Operator {
  readonly receive: Receiver;
  /** Set by operators of one input that count what they receive themselves, which saves a call per element. */
  readonly counter?: Counter;
  /** Undefined unless user code or buffering makes it necessary. */
  startBundle?(): void | Promise<void>;
  /** Delivers everything that is still to come of this bundle. */
  finishBundle?(): void | Promise<void>;
  /** A promise while no more elements should be sent. Asked only once {@link OperatorScope.waits} has been called. */
  blocked?(): Promise<void> | undefined;
  /** Whether {@link blocked} would give a promise. */
  isBlocked?(): boolean;
  /** An element whose call has not settled, if there is one. */
  pending?(): { readonly value: unknown } | undefined;
  /** Calls back for a timer; only where the transform has state. */
  fire?(timer: FiredTimer): void;
  /** Splits the restriction that is being processed, and says whether it could; only of a splittable transform. */
  split?(fraction: number): boolean;
  progress?(): Progress | undefined;
  setup?(): void | Promise<void>;
  teardown?(): void | Promise<void>;
  abort?(): void;
}

/** Elements seen so far. */
export interface Counter {
  n: number;
}

/** What an operator needs of the stage around it. */
export interface OperatorScope {
  /** Unique name of the transform, as the author knows it. */
  readonly name: string;
  /** How far back user code may move a timestamp, in milliseconds. */
  allowedSkewMs: number;
  /** True when the stage's outputs, or an operator behind this one, can take no more for now. */
  shouldPause(): boolean;
  resume(): Promise<void>;
  /** The metrics of the transform; undefined while no metric is in use. */
  readonly metrics: StepMetrics | undefined;
  /** The elements of a PCollection that the transform reads as a side input. */
  sideInput(pcollectionId: string): SideInput;
  /** State and timers, where the stage's transform that reads its input has them. */
  readonly keyed: KeyedState | undefined;
  /** What a splittable transform hands its rest to. */
  readonly restrictions: RestrictionContext | undefined;
  /** Has a function called when the bundle is durable. */
  readonly onCommitted: StageContext["onCommitted"];
  /** Whether the job is being drained. */
  isDraining(): boolean;
  /** Has a function called when the run is over in this process. */
  readonly atEnd: (fn: EndFunction) => void;
  readonly checkpoints: RunCheckpoints | undefined;
  /** Whether the bundle has failed or was aborted: then nothing more may be sent. */
  stopped(): boolean;
  /** Wraps what user code threw. Building the error is off the hot path. */
  userError(action: string, cause: unknown, element?: unknown): Error;
  /** To be called when the operator begins to wait for something: only from then on is it asked whether it is blocked. */
  waits(): void;
  /** Makes the bundle fail, from a callback that nobody awaits. */
  fail(error: Error): void;
}
