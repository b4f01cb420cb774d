// Two or three tasks that deal restrictions out to each other, with barriers, bundles that fail, and crashes, as a world to explore: the dealing is that
// of the runner, what is around it is as little as it can be.
import assert from "node:assert/strict";
import { Dealing, type Dealt, type DealingTask, type PeerMessage } from "../../runner/runtime/dealing.js";
import { MIN_TIMESTAMP } from "../../portability/values/index.js";
import type { World } from "./explore.js";

/** What goes wrong on purpose: with it, something must be found. */
export type DealingDefect =
  | "hears what is behind a barrier"
  | "records nothing that comes late"
  | "takes what would be late here"
  | "lets its watermark go when it gives"
  | "gives within the bundle"
  | "gives before it has its answer";

export interface DealingBudget {
  readonly tasks: number;
  /** Positions of the one restriction that there is. */
  readonly positions: number;
  readonly epochs: number;
  readonly failures: number;
  readonly crashes: number;
  /** Whether watermarks stay where they are. */
  readonly isTimeless?: boolean;
  /** Whether the tasks have input at first, whose end each hears of at some time, and which brought each position by itself. */
  readonly hasInput?: boolean;
}

/** From a position up to another. */
class Part implements Dealt {
  constructor(
    readonly from: number,
    readonly to: number,
    readonly watermark: number,
  ) {
    Object.freeze(this);
  }
}

interface Model {
  dealing: Dealing<Part>;
  /** What waits. */
  parts: Part[];
  /** What is under way, in a bundle. */
  working: Part | undefined;
  /** What the bundle has split off. */
  splitOff: Part | undefined;
  done: number[];
  sent: number;
  epoch: number;
  isInputOver: boolean;
  hasEnded: boolean;
  /** Messages to each other task, on their way. */
  wires: PeerMessage<Part>[][];
  /** Of the epoch under way. */
  snapshot: { parts: Part[]; done: number[]; isWhole: boolean } | undefined;
}

interface Saved {
  readonly parts: readonly Part[];
  readonly done: readonly number[];
}

/** Watermarks: of the input, as the tasks hear of it, and at the end. */
const INPUT = 50;
const END = 100;

export class DealingWorld implements World {
  private tasks: Model[];
  private epoch = 0;
  private underWay = false;
  private saved: readonly Saved[];
  private failures = 0;
  private crashes = 0;
  private published = 0;

  constructor(
    private readonly budget: DealingBudget,
    private readonly defect?: DealingDefect,
  ) {
    const { tasks, positions, hasInput } = budget;
    const parts = hasInput === true ? Array.from({ length: positions }, (_, i) => new Part(i, i + 1, i)) : [new Part(0, positions, 0)];
    this.saved = Object.freeze(
      Array.from({ length: tasks }, (_, i) => Object.freeze({ parts: Object.freeze(i === 0 ? parts : []), done: Object.freeze([]) })),
    );
    this.tasks = this.begin();
  }

  get isOver(): boolean {
    return this.tasks.every(({ hasEnded }) => hasEnded);
  }

  steps(): readonly string[] {
    const { tasks, budget } = this;
    const steps: string[] = [];
    for (const [i, task] of tasks.entries()) {
      for (const [j, wire] of task.wires.entries()) if (wire.length > 0) steps.push(`hear ${i} ${j}`);
      if (task.hasEnded) continue;
      if (!task.isInputOver) steps.push(`over ${i}`);
      if (task.working === undefined) {
        if (task.parts.length > 0) steps.push(`begin ${i}`);
        else if (this.wouldRest(task)) steps.push(`rest ${i}`);
        if (budget.isTimeless !== true && this.watermarkOf(task) > task.sent) steps.push(`watermark ${i}`);
        if (this.underWay && task.epoch < this.epoch) steps.push(`barrier ${i}`);
        if (task.isInputOver && task.parts.length === 0 && task.dealing.hasEnded) steps.push(`end ${i}`);
      } else {
        if (task.splitOff === undefined && task.dealing.isAsked && task.working.to - task.working.from > 1) steps.push(`split ${i}`);
        steps.push(`commit ${i}`);
        if (this.failures < budget.failures) steps.push(`fail ${i}`);
      }
    }
    if (!this.underWay && this.epoch < budget.epochs && !this.isOver) steps.push("epoch");
    if (this.crashes < budget.crashes && !this.isOver) steps.push("crash");
    return steps;
  }

  take(step: string): void {
    const [what, index, other] = step.split(" ");
    const i = Number(index);
    const task = this.tasks[i];
    switch (what) {
      case "hear": {
        const j = Number(other);
        const to = indexOfPeer(i, j);
        const receiver = this.tasks[to];
        assert.ok(!receiver.hasEnded || task.wires[j][0].type !== "give", "given to a task that has ended");
        receiver.dealing.receive(indexOfPeerFrom(to, i), task.wires[j].shift()!);
        this.hear(receiver);
        return;
      }
      case "begin":
        task.working = task.parts.shift();
        return;
      case "watermark":
        task.sent = this.watermarkOf(task);
        return task.dealing.passOn(this.sideOf(task));
      case "over":
        task.isInputOver = true;
        return;
      case "rest":
        return task.dealing.rest(this.sideOf(task), task.isInputOver);
      case "split": {
        const { from, to, watermark } = task.working!;
        const middle = from + Math.ceil((to - from) / 2);
        task.splitOff = new Part(middle, to, watermark);
        if (this.defect === "gives within the bundle" && task.dealing.mayGive(task.splitOff))
          task.dealing.give(this.sideOf(task), task.splitOff);
        return;
      }
      case "commit": {
        const { from, to, watermark } = task.working!;
        const end = task.splitOff?.from ?? to;
        task.done.push(from); // one position a bundle
        assert.ok(task.sent <= watermark, "late");
        if (from + 1 < end) task.parts.push(new Part(from + 1, end, from + 1));
        if (task.splitOff !== undefined && this.defect !== "gives within the bundle") task.parts.push(task.splitOff);
        task.working = task.splitOff = undefined;
        return this.dealOut(task);
      }
      case "fail":
        this.failures++;
        task.parts.unshift(task.working!);
        task.working = task.splitOff = undefined;
        return;
      case "epoch":
        this.epoch++;
        this.underWay = true;
        for (const each of this.tasks) if (each.hasEnded) this.freeze(each);
        return this.lookIfPublished();
      case "barrier": {
        task.epoch = this.epoch;
        task.snapshot = { parts: [...task.parts], done: [...task.done], isWhole: false };
        const lags = task.dealing.passBarrier(this.sideOf(task), this.epoch);
        task.snapshot.isWhole = !lags;
        this.hear(task);
        return this.lookIfPublished();
      }
      case "end":
        task.hasEnded = true;
        task.dealing.end(this.sideOf(task));
        task.sent = END;
        if (this.underWay && task.epoch < this.epoch) this.freeze(task);
        return this.lookIfPublished();
      default: {
        this.crashes++;
        this.tasks = this.begin();
        this.underWay = false;
      }
    }
  }

  check(): void {
    const inAll = this.tasks.flatMap((task) => [
      ...task.done,
      ...positionsOf([...task.parts, ...(task.working === undefined ? [] : [task.working])]),
      ...task.wires.flat().flatMap((each) => ("residual" in each ? positionsOf([each.residual]) : [])),
      ...this.queued(task).flatMap((each) => ("residual" in each ? positionsOf([each.residual]) : [])),
    ]);
    this.checkWhole(inAll, "there");
    this.checkLeast();
  }

  key(): string {
    return JSON.stringify([this.tasks, this.epoch, this.underWay, this.saved, this.failures, this.crashes]);
  }

  private begin(): Model[] {
    const { tasks, hasInput } = this.budget;
    return this.saved.map(({ parts, done }): Model => ({
      dealing: new Dealing<Part>(tasks - 1, this.published),
      parts: [...parts],
      working: undefined,
      splitOff: undefined,
      done: [...done],
      sent: MIN_TIMESTAMP,
      epoch: (this.epoch = this.published),
      isInputOver: hasInput !== true,
      hasEnded: false,
      wires: Array.from({ length: tasks - 1 }, () => []),
      snapshot: undefined,
    }));
  }

  /** What is to come is not earlier than what those who could put it out have sent: the least of all. */
  private checkLeast(): void {
    for (const task of this.tasks) {
      const own = [...task.parts, ...(task.working === undefined ? [] : [task.working])];
      for (const { watermark } of own) assert.ok(task.sent <= watermark, "late");
    }
    const least = Math.min(...this.tasks.map(({ sent }) => sent));
    for (const task of this.tasks)
      for (const each of [...task.wires.flat(), ...this.queued(task)])
        if ("residual" in each) assert.ok(least <= each.residual.watermark, "late on its way");
  }

  private checkWhole(positions: readonly number[], what: string): void {
    const sorted = [...positions].sort((a, b) => a - b);
    assert.deepEqual(
      sorted,
      Array.from({ length: this.budget.positions }, (_, i) => i),
      `what is ${what} is not the restriction`,
    );
  }

  private queued(task: Model): readonly PeerMessage<Part>[] {
    return peersOf(task).flatMap(({ queue }) => queue);
  }

  private wouldRest(task: Model): boolean {
    const copy = JSON.stringify(task.dealing);
    const { peers, isLeaving } = JSON.parse(copy) as {
      peers: {
        asked?: { isOver: boolean };
        isTold: boolean;
        hasEnded: boolean;
        asks?: { isOver: boolean };
        isLeaving: boolean;
        given?: number;
      }[];
      isLeaving: boolean;
    };
    if (peers.some(({ asked, isTold, hasEnded }) => !isTold && !hasEnded && asked?.isOver !== task.isInputOver)) return true;
    return (
      task.isInputOver &&
      !isLeaving &&
      peers.every((each) => each.given === undefined && (each.asks?.isOver === true || each.isLeaving || each.hasEnded))
    );
  }

  private hear(task: Model): void {
    if (task.hasEnded) return;
    const { dealing } = task;
    if (this.defect === "hears what is behind a barrier") for (const peer of peersOf(task)) peer.epoch = Math.min(peer.epoch, task.epoch);
    dealing.hear(this.sideOf(task));
    if (this.defect === "hears what is behind a barrier") dealing.hear(this.sideOf(task));
    this.dealOut(task);
    this.lookIfPublished();
  }

  /** All but one, or what is under way. */
  private dealOut(task: Model): void {
    const stays = task.working === undefined ? 1 : 0;
    const peers = peersOf(task);
    while (task.parts.length > stays) {
      const given = peers.map((peer) => peer.given);
      if (this.defect === "gives before it has its answer") for (const peer of peers) peer.given = undefined;
      const mayGive = task.dealing.mayGive(task.parts.at(-1)!);
      if (mayGive) task.dealing.give(this.sideOf(task), task.parts.pop()!);
      for (const [i, peer] of peers.entries()) peer.given ??= given[i];
      if (!mayGive) return;
    }
  }

  /** The watermark, which bounded work moves at its end, and before that never beyond what is held. */
  private watermarkOf(task: Model): number {
    const held = this.defect === "lets its watermark go when it gives" ? Infinity : task.dealing.hold();
    const rests = task.isInputOver && task.parts.length === 0;
    return Math.min(held, rests ? task.dealing.pace() : INPUT, ...task.parts.map(({ watermark }) => watermark), INPUT);
  }

  private freeze(task: Model): void {
    task.epoch = this.epoch;
    task.snapshot = { parts: [...task.parts], done: [...task.done], isWhole: true };
  }

  private lookIfPublished(): void {
    if (!this.underWay || !this.tasks.every(({ snapshot, epoch }) => epoch === this.epoch && snapshot?.isWhole === true)) return;
    this.underWay = false;
    this.published = this.epoch;
    this.saved = Object.freeze(
      this.tasks.map(({ snapshot }) =>
        Object.freeze({ parts: Object.freeze([...snapshot!.parts]), done: Object.freeze([...snapshot!.done]) }),
      ),
    );
    for (const task of this.tasks) task.snapshot = undefined;
    this.checkWhole(
      this.saved.flatMap(({ parts, done }) => [...done, ...positionsOf(parts)]),
      "published",
    );
  }

  private sideOf(task: Model): DealingTask<Part> {
    const { defect } = this;
    return {
      watermark: defect === "takes what would be late here" ? MIN_TIMESTAMP : task.sent,
      send: (peer, message) => void task.wires[peer].push(message),
      take: (part, isLate) => {
        task.parts.push(part);
        if (isLate && defect !== "records nothing that comes late") task.snapshot!.parts.push(part);
      },
      giveBack: (part) => {
        task.parts.splice(task.parts.indexOf(part), 1);
        return part;
      },
      caughtUp: () => void (task.snapshot!.isWhole = true),
    };
  }
}

/** What a task's dealing knows of the others, for defects and checks to look into. */
function peersOf({ dealing }: Model): { readonly queue: readonly PeerMessage<Part>[]; epoch: number; given: number | undefined }[] {
  return (dealing as unknown as { peers: ReturnType<typeof peersOf> }).peers;
}

/** The task that a task's peer of this index is. */
function indexOfPeer(task: number, peer: number): number {
  return peer < task ? peer : peer + 1;
}

/** The index that a task has for another one. */
function indexOfPeerFrom(task: number, other: number): number {
  return other < task ? other : other - 1;
}

function positionsOf(parts: readonly Part[]): number[] {
  return parts.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));
}
