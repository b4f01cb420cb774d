// Triggers as machines: a tree of nodes without state, and for each key and window a flat array of numbers with the state of all nodes.
//
// The rules are Beam's (Beam model, "triggers"; runners/core, trigger state machines):
//
// - M1. `onElement` for each element, then `shouldFire`; where it says so `onFire`, and the pane is emitted. A machine that has finished
//   is asked no more.
// - M2. What is behind a node that fires starts anew: a repeated trigger forgets what it counted and waited for.
// - M3. When windows merge, their states merge: counts add, the earliest deadline counts, and what was finished starts again where the
//   merged window has not come as far.
// - M4. Where windows may merge, a part whose turn a merge may bring sees the elements of the pane too, so that none goes uncounted then.
import type { Timestamp, Window } from "../../portability/values/index.js";
import type { DelayStep, Trigger } from "../../portability/windows/index.js";

/** What a trigger may look at. */
export interface TriggerTimes {
  /** The input watermark. */
  readonly watermark: Timestamp;
  /** Processing time, in milliseconds. */
  readonly now: number;
}

/** The state of a trigger for one key and window; made by {@link TriggerMachine.newState}. */
export type TriggerState = number[];

/** One node of a trigger; its own numbers are at fixed places of the state. */
interface Node {
  onElement(state: TriggerState, window: Window, times: TriggerTimes): void;
  shouldFire(state: TriggerState, window: Window, times: TriggerTimes): boolean;
  onFire(state: TriggerState, window: Window, times: TriggerTimes): void;
  isFinished(state: TriggerState): boolean;
  /** Back to the beginning. */
  reset(state: TriggerState): void;
  /** M3: makes `into` what the parts are together; `window` is the merged one. */
  merge(parts: readonly TriggerState[], into: TriggerState, window: Window, times: TriggerTimes): void;
  /** The first processing time behind `now` at which it wants to be asked whether it fires; Infinity for never. */
  deadline(state: TriggerState, times: TriggerTimes): number;
}

const NEVER = Infinity;
const NOT_SET = -Infinity;

/** A trigger that can be executed. */
export class TriggerMachine {
  private readonly root: Node;
  private readonly initial: TriggerState = [];
  /** Whether it looks at processing time. */
  readonly usesProcessingTime: boolean;
  /** Whether a pane is due at the end of the window even if no element has come since the last one. */
  readonly hasOnTimePane: boolean;

  /** @param merging whether the windows may merge */
  constructor(trigger: Trigger, merging = false) {
    this.root = nodeOf(trigger, merging, (initial) => this.initial.push(initial) - 1);
    this.usesProcessingTime = some(trigger, ({ kind }) => kind.endsWith("processing-time"));
    this.hasOnTimePane = some(trigger, ({ kind }) => kind === "default" || kind === "after-end-of-window");
  }

  newState(): TriggerState {
    return this.initial.slice();
  }

  onElement(state: TriggerState, window: Window, times: TriggerTimes): void {
    this.root.onElement(state, window, times);
  }

  shouldFire(state: TriggerState, window: Window, times: TriggerTimes): boolean {
    return this.root.shouldFire(state, window, times);
  }

  onFire(state: TriggerState, window: Window, times: TriggerTimes): void {
    this.root.onFire(state, window, times);
  }

  isFinished(state: TriggerState): boolean {
    return this.root.isFinished(state);
  }

  merge(parts: readonly TriggerState[], window: Window, times: TriggerTimes): TriggerState {
    const into = this.newState();
    this.root.merge(parts, into, window, times);
    return into;
  }

  /** The first processing time behind `now` at which it may fire without a further element; Infinity for never. */
  deadline(state: TriggerState, times: TriggerTimes): number {
    return this.root.deadline(state, times);
  }
}

function some(trigger: Trigger, test: (part: Trigger) => boolean): boolean {
  return test(trigger) || partsOf(trigger).some((part) => some(part, test));
}

function partsOf(trigger: Trigger): readonly Trigger[] {
  switch (trigger.kind) {
    case "after-end-of-window":
      return [trigger.early, trigger.late].filter((part) => part !== undefined);
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

/** @param place reserves a number in the state, and tells where it is. */
function nodeOf(trigger: Trigger, merging: boolean, place: (initial: number) => number): Node {
  const node = (part: Trigger): Node => nodeOf(part, merging, place);
  switch (trigger.kind) {
    case "default":
      return new Stateless(hasEnded);
    case "always":
      return new Stateless(() => true);
    case "never":
      return new Stateless(() => false);
    case "after-end-of-window":
      if (trigger.early === undefined && trigger.late === undefined) return new EndOfWindow(place(0));
      return new EarlyAndLate(
        place(0),
        new Repeat(node(trigger.early ?? { kind: "never" })),
        trigger.late && new Repeat(node(trigger.late)),
        place(0),
        merging,
      );
    case "after-processing-time":
      return new Delay(place(NOT_SET), place(0), (arrival) => trigger.steps.reduce(afterStep, arrival));
    case "after-synchronized-processing-time":
      // All tasks of a job follow one clock: once it has moved on, everything that arrived before has been taken.
      return new Delay(place(NOT_SET), place(0), (arrival) => arrival + 1);
    case "element-count":
      return new ElementCount(trigger.count, place(0), place(0));
    case "repeat":
      return new Repeat(node(trigger.of));
    case "after-all":
      return new AfterAll(trigger.of.map(node), place(0));
    case "after-any":
      return new AfterAny(trigger.of.map(node), place(0));
    case "after-each":
      return new AfterEach(trigger.of.map(node), merging);
    case "or-finally":
      return new OrFinally(node(trigger.main), node(trigger.until), place(0));
  }
}

function afterStep(time: number, step: DelayStep): number {
  if ("delayMs" in step) return time + step.delayMs;
  const { alignToMs, offsetMs } = step;
  const beyond = (((time - offsetMs) % alignToMs) + alignToMs) % alignToMs;
  return beyond === 0 ? time : time - beyond + alignToMs;
}

function hasEnded({ maxTimestamp }: Window, { watermark }: TriggerTimes): boolean {
  return watermark > maxTimestamp;
}

class Stateless implements Node {
  constructor(private readonly ready: (window: Window, times: TriggerTimes) => boolean) {}
  onElement(): void {}
  shouldFire(_state: TriggerState, window: Window, times: TriggerTimes): boolean {
    return this.ready(window, times);
  }
  onFire(): void {}
  isFinished(): boolean {
    return false;
  }
  reset(): void {}
  merge(): void {}
  deadline(): number {
    return NEVER;
  }
}

/** Once, at the end of the window. */
class EndOfWindow implements Node {
  constructor(private readonly finished: number) {}
  onElement(): void {}
  shouldFire(_state: TriggerState, window: Window, times: TriggerTimes): boolean {
    return hasEnded(window, times);
  }
  onFire(state: TriggerState): void {
    state[this.finished] = 1;
  }
  isFinished(state: TriggerState): boolean {
    return state[this.finished] === 1;
  }
  reset(state: TriggerState): void {
    state[this.finished] = 0;
  }
  merge(parts: readonly TriggerState[], into: TriggerState, window: Window, times: TriggerTimes): void {
    into[this.finished] = parts.every((part) => this.isFinished(part)) && hasEnded(window, times) ? 1 : 0;
  }
  deadline(): number {
    return NEVER;
  }
}

/** `early` again and again before the end of the window, a pane at the end, `late` again and again behind it. */
class EarlyAndLate implements Node {
  constructor(
    /** Whether the pane at the end has been emitted. */
    private readonly ended: number,
    private readonly early: Repeat,
    private readonly late: Repeat | undefined,
    private readonly finished: number,
    private readonly merging: boolean,
  ) {}

  onElement(state: TriggerState, window: Window, times: TriggerTimes): void {
    if (state[this.ended] === 0 || this.merging) this.early.onElement(state, window, times); // M4
    if (state[this.ended] === 1) this.late?.onElement(state, window, times);
  }

  shouldFire(state: TriggerState, window: Window, times: TriggerTimes): boolean {
    if (state[this.ended] === 0) return hasEnded(window, times) || this.early.shouldFire(state, window, times);
    return this.late !== undefined && this.late.shouldFire(state, window, times);
  }

  onFire(state: TriggerState, window: Window, times: TriggerTimes): void {
    const { early, late } = this;
    if (state[this.ended] === 0 && !hasEnded(window, times)) {
      early.onFire(state, window, times);
      return;
    }
    early.reset(state); // M2
    if (state[this.ended] === 1) late?.onFire(state, window, times);
    else {
      state[this.ended] = 1;
      state[this.finished] = late === undefined ? 1 : 0;
    }
  }

  isFinished(state: TriggerState): boolean {
    return state[this.finished] === 1;
  }

  reset(state: TriggerState): void {
    state[this.ended] = state[this.finished] = 0;
    this.early.reset(state);
    this.late?.reset(state);
  }

  /** M3: only if all parts were behind their ends, and the merged window is behind its own. */
  merge(parts: readonly TriggerState[], into: TriggerState, window: Window, times: TriggerTimes): void {
    this.early.merge(parts, into, window, times); // M4: of those behind their ends too
    if (!hasEnded(window, times) || parts.some((part) => part[this.ended] === 0)) return;
    into[this.ended] = 1;
    into[this.finished] = this.late === undefined ? 1 : 0;
    this.late?.merge(parts, into, window, times);
  }

  deadline(state: TriggerState, times: TriggerTimes): number {
    return (state[this.ended] === 0 ? this.early : this.late)?.deadline(state, times) ?? NEVER;
  }
}

/** Once, at an instant of processing time that follows from the arrival of the first element. */
class Delay implements Node {
  constructor(
    private readonly until: number,
    private readonly finished: number,
    private readonly after: (arrival: number) => number,
  ) {}
  onElement(state: TriggerState, _window: Window, { now }: TriggerTimes): void {
    if (state[this.until] === NOT_SET) state[this.until] = this.after(now);
  }
  shouldFire(state: TriggerState, _window: Window, { now }: TriggerTimes): boolean {
    return state[this.until] !== NOT_SET && now >= state[this.until];
  }
  onFire(state: TriggerState): void {
    state[this.until] = NOT_SET;
    state[this.finished] = 1;
  }
  isFinished(state: TriggerState): boolean {
    return state[this.finished] === 1;
  }
  reset(state: TriggerState): void {
    state[this.until] = NOT_SET;
    state[this.finished] = 0;
  }
  merge(parts: readonly TriggerState[], into: TriggerState): void {
    into[this.finished] = parts.every((part) => this.isFinished(part)) ? 1 : 0;
    const set = parts.map((part) => part[this.until]).filter((until) => until !== NOT_SET);
    if (set.length > 0) into[this.until] = Math.min(...set);
  }
  deadline(state: TriggerState, { now }: TriggerTimes): number {
    return state[this.until] > now ? state[this.until] : NEVER;
  }
}

class ElementCount implements Node {
  constructor(
    private readonly wanted: number,
    private readonly count: number,
    private readonly finished: number,
  ) {}
  onElement(state: TriggerState): void {
    state[this.count]++;
  }
  shouldFire(state: TriggerState): boolean {
    return state[this.count] >= this.wanted;
  }
  onFire(state: TriggerState): void {
    state[this.count] = 0;
    state[this.finished] = 1;
  }
  isFinished(state: TriggerState): boolean {
    return state[this.finished] === 1;
  }
  reset(state: TriggerState): void {
    state[this.count] = state[this.finished] = 0;
  }
  merge(parts: readonly TriggerState[], into: TriggerState): void {
    if (parts.some((part) => this.isFinished(part))) into[this.finished] = 1;
    else into[this.count] = parts.reduce((sum, part) => sum + part[this.count], 0);
  }
  deadline(): number {
    return NEVER;
  }
}

class Repeat implements Node {
  constructor(private readonly of: Node) {}
  onElement(state: TriggerState, window: Window, times: TriggerTimes): void {
    this.of.onElement(state, window, times);
  }
  shouldFire(state: TriggerState, window: Window, times: TriggerTimes): boolean {
    return this.of.shouldFire(state, window, times);
  }
  onFire(state: TriggerState, window: Window, times: TriggerTimes): void {
    this.of.onFire(state, window, times);
    if (this.of.isFinished(state)) this.of.reset(state); // M2
  }
  isFinished(): boolean {
    return false;
  }
  reset(state: TriggerState): void {
    this.of.reset(state);
  }
  merge(parts: readonly TriggerState[], into: TriggerState, window: Window, times: TriggerTimes): void {
    this.of.merge(parts, into, window, times);
  }
  deadline(state: TriggerState, times: TriggerTimes): number {
    return this.of.deadline(state, times);
  }
}

/** What nodes of several parts have in common. */
abstract class Composite implements Node {
  constructor(protected readonly of: readonly Node[]) {}
  onElement(state: TriggerState, window: Window, times: TriggerTimes): void {
    for (const node of this.of) if (!node.isFinished(state)) node.onElement(state, window, times);
  }
  reset(state: TriggerState): void {
    for (const node of this.of) node.reset(state);
  }
  merge(parts: readonly TriggerState[], into: TriggerState, window: Window, times: TriggerTimes): void {
    for (const node of this.of) node.merge(parts, into, window, times);
  }
  deadline(state: TriggerState, times: TriggerTimes): number {
    return this.of.reduce((least, node) => (node.isFinished(state) ? least : Math.min(least, node.deadline(state, times))), NEVER);
  }
  abstract shouldFire(state: TriggerState, window: Window, times: TriggerTimes): boolean;
  abstract onFire(state: TriggerState, window: Window, times: TriggerTimes): void;
  abstract isFinished(state: TriggerState): boolean;

  protected isReady(node: Node, state: TriggerState, window: Window, times: TriggerTimes): boolean {
    return !node.isFinished(state) && node.shouldFire(state, window, times);
  }
}

/** Once, when each part is ready. */
class AfterAll extends Composite {
  constructor(
    of: readonly Node[],
    private readonly finished: number,
  ) {
    super(of);
  }
  shouldFire(state: TriggerState, window: Window, times: TriggerTimes): boolean {
    return this.of.every((node) => node.isFinished(state) || node.shouldFire(state, window, times));
  }
  onFire(state: TriggerState, window: Window, times: TriggerTimes): void {
    for (const node of this.of) if (!node.isFinished(state)) node.onFire(state, window, times);
    state[this.finished] = 1;
  }
  isFinished(state: TriggerState): boolean {
    return state[this.finished] === 1;
  }
  override reset(state: TriggerState): void {
    super.reset(state);
    state[this.finished] = 0;
  }
  override merge(parts: readonly TriggerState[], into: TriggerState, window: Window, times: TriggerTimes): void {
    super.merge(parts, into, window, times);
    into[this.finished] = this.of.every((node) => node.isFinished(into)) ? 1 : 0;
  }
}

/** Once, when one part is ready. */
class AfterAny extends Composite {
  constructor(
    of: readonly Node[],
    private readonly finished: number,
  ) {
    super(of);
  }
  shouldFire(state: TriggerState, window: Window, times: TriggerTimes): boolean {
    return this.of.some((node) => this.isReady(node, state, window, times));
  }
  onFire(state: TriggerState, window: Window, times: TriggerTimes): void {
    for (const node of this.of) {
      if (this.isReady(node, state, window, times)) node.onFire(state, window, times);
      else node.reset(state);
    }
    state[this.finished] = 1;
  }
  isFinished(state: TriggerState): boolean {
    return state[this.finished] === 1;
  }
  override reset(state: TriggerState): void {
    super.reset(state);
    state[this.finished] = 0;
  }
  override merge(parts: readonly TriggerState[], into: TriggerState, window: Window, times: TriggerTimes): void {
    super.merge(parts, into, window, times);
    into[this.finished] = this.of.some((node) => node.isFinished(into)) ? 1 : 0;
  }
}

/** One part after the other. */
class AfterEach extends Composite {
  constructor(
    of: readonly Node[],
    private readonly merging: boolean,
  ) {
    super(of);
  }
  override onElement(state: TriggerState, window: Window, times: TriggerTimes): void {
    if (!this.merging) this.current(state)?.onElement(state, window, times);
    else super.onElement(state, window, times); // M4
  }
  shouldFire(state: TriggerState, window: Window, times: TriggerTimes): boolean {
    return this.current(state)?.shouldFire(state, window, times) ?? false;
  }
  onFire(state: TriggerState, window: Window, times: TriggerTimes): void {
    const current = this.current(state);
    current?.onFire(state, window, times);
    if (!this.merging || current === undefined) return;
    for (const node of this.of.slice(this.of.indexOf(current) + 1)) node.reset(state); // M4: the next pane is theirs from its beginning
  }
  isFinished(state: TriggerState): boolean {
    return this.current(state) === undefined;
  }
  /** M3: a part that is not finished any more is current again, and those behind it have not begun. */
  override merge(parts: readonly TriggerState[], into: TriggerState, window: Window, times: TriggerTimes): void {
    for (const node of this.of) {
      node.merge(parts, into, window, times);
      if (!node.isFinished(into)) return;
    }
  }
  override deadline(state: TriggerState, times: TriggerTimes): number {
    return this.current(state)?.deadline(state, times) ?? NEVER;
  }
  private current(state: TriggerState): Node | undefined {
    return this.of.find((node) => !node.isFinished(state));
  }
}

/** As `main`, until `until` is ready. */
class OrFinally extends Composite {
  constructor(
    private readonly main: Node,
    private readonly until: Node,
    private readonly finished: number,
  ) {
    super([main, until]);
  }
  shouldFire(state: TriggerState, window: Window, times: TriggerTimes): boolean {
    return this.main.shouldFire(state, window, times) || this.until.shouldFire(state, window, times);
  }
  onFire(state: TriggerState, window: Window, times: TriggerTimes): void {
    const { main, until } = this;
    const untilIsReady = until.shouldFire(state, window, times);
    if (main.shouldFire(state, window, times)) main.onFire(state, window, times);
    if (untilIsReady) until.onFire(state, window, times);
    // Once is enough, even for an `until` that would go on.
    if (untilIsReady || main.isFinished(state)) state[this.finished] = 1;
  }
  isFinished(state: TriggerState): boolean {
    return state[this.finished] === 1;
  }
  override reset(state: TriggerState): void {
    super.reset(state);
    state[this.finished] = 0;
  }
  override merge(parts: readonly TriggerState[], into: TriggerState, window: Window, times: TriggerTimes): void {
    super.merge(parts, into, window, times);
    into[this.finished] = this.of.some((node) => node.isFinished(into)) ? 1 : 0;
  }
}
