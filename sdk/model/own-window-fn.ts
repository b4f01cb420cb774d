import { UserCodeError } from "../../portability/stage-host/index.js";
import { customWindowCoder, intervalWindowCoder, type Coder } from "../../portability/coders/index.js";
import type { Timestamp, Window } from "../../portability/values/index.js";
import type { WindowFn, WindowMerge } from "../../portability/windows/index.js";
import { BEAMSTORM } from "../../portability/urns/index.js";

/** What an author says of a window function of their own. */
export interface WindowFnSpec<T, W extends Window> {
  /** Tells it from other window functions: PCollections may only meet where theirs have the same name. */
  readonly name: string;
  /** The windows of an element with this timestamp, one mostly; the same for the same element at any time. */
  assign(timestamp: Timestamp, element: T): Iterable<W>;
  /**
   * Given where windows merge: which of the windows of one key become one. The outcome must not depend on the order in which windows come,
   * nor on which of them have merged before.
   */
  merge?(windows: readonly W[]): readonly WindowMerge<W>[];
  /** What the timestamp combiners "earliest" and "latest" are given for an element of a window; its timestamp by default. */
  outputTime?(timestamp: Timestamp, window: W): Timestamp;
  /** How windows are encoded; intervals by default. */
  readonly coder?: Coder<W>;
}

/** A window function of the author's own: it does not travel, but is found in the program (design D2). */
export class OwnWindowFn<T, W extends Window> implements WindowFn<T> {
  readonly urn = BEAMSTORM.WINDOW_FN;
  readonly merging: boolean;
  readonly merge: WindowFn["merge"];
  readonly outputTime: WindowFn["outputTime"];
  /** The windows behind their greatest timestamp, by which a runner orders them. */
  readonly windowCoder: Coder<unknown>;

  constructor(private readonly spec: WindowFnSpec<T, W>) {
    this.merging = spec.merge !== undefined;
    // What a runner hands over are the windows that this function has assigned, or merged before.
    this.merge = spec.merge && ((windows) => this.user("merge", () => spec.merge!(windows as readonly W[])));
    this.outputTime = spec.outputTime && ((timestamp, window) => this.user("outputTime", () => spec.outputTime!(timestamp, window as W)));
    this.windowCoder = customWindowCoder(spec.coder ?? (intervalWindowCoder as Coder<Window> as Coder<W>)) as Coder<unknown>;
  }

  assign(timestamp: Timestamp, element?: T): readonly Window[] {
    return [...this.spec.assign(timestamp, element as T)];
  }

  /** Where the runner calls, no transform is around that would name the function. */
  private user<R>(what: string, call: () => R): R {
    try {
      return call();
    } catch (cause) {
      throw new UserCodeError({ transform: `windowFn ${this.spec.name}` }, `${what} failed`, cause);
    }
  }

  /** What tells it from others. */
  toJSON(): object {
    return { urn: this.urn, name: this.spec.name, merging: this.merging };
  }
}
