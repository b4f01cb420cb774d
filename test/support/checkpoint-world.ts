// A job with checkpoints as a world of a few steps, to be explored in whole (explore.ts): three tasks on two workers, their coordinator, a
// folder, and other runs that take over. Decisions, alignment, channels, and which manifests count are the real ones; tasks, workers and
// files are as simple as can be, by the same rules (Task T10, WorkerAgent, CheckpointFolder D1–D4).
//
//   source ─┬────────► last        worker 0: source
//           └► middle ─► last      worker 1: middle, last
//
// Each queue is in order, and as slow as it likes. A generation may end at any moment; what its coordinator was about to publish may still
// happen then, at any time. Frames may get lost.
import assert from "node:assert/strict";
import { IMPULSE_META, MAX_TIMESTAMP, type Timestamp } from "../../portability/values/index.js";
import {
  epochLimits,
  startCheckpoints,
  stepCheckpoints,
  type CheckpointState,
  type CheckpointStep,
} from "../../runner/checkpoint/index.js";
import { ElementBatch, Inbox, LostElementsError, OutputChannel } from "../../runner/runtime/index.js";
import { Barrier, type BarrierAligner } from "../../runner/runtime/barrier.js";
import type { World } from "./explore.js";

/** How much may happen. */
export interface Budget {
  readonly elements: number;
  readonly ticks: number;
  /** Generations that end before their time. */
  readonly crashes: number;
  readonly losses: number;
  /** Whether tasks may be frozen before all channels have brought the barrier: those that have not are recorded. */
  readonly overtakes?: boolean;
}

/** What can be broken, to see that it is found. */
export type Defect =
  | "passes a barrier that not all channels have brought"
  | "counts nothing"
  | "records nothing of what was overtaken"
  | "announces what is not published"
  | "publishes before all have taken their part"
  | "does not look for later generations"
  | "looks for manifests before it begins"
  | "hears of an epoch behind the next one"
  | "does not freeze tasks that are over";

type Part = Readonly<Record<string, TaskMark>>;

/** A task in a manifest: what it has seen from each of its inputs; for the source, what it has given. */
interface TaskMark {
  readonly seen: readonly string[];
  readonly inputWatermark: Timestamp;
  readonly isDone: boolean;
}

interface Manifest {
  readonly epoch: number;
  readonly generation: number;
  readonly isLast: boolean;
  readonly tasks: Part;
  /** It and all that it goes back to, as `epoch of generation`. */
  readonly line: readonly string[];
}

/** What has been sent, until it is put into the inbox. */
class Wire extends OutputChannel {
  override readonly isLocal = true;
  sent: (ElementBatch | Barrier | Timestamp)[] = [];

  constructor(
    readonly target: string,
    readonly port: number,
  ) {
    super(0);
  }

  /** What its barriers tell. */
  get sentUp(): string {
    return `${String(Reflect.get(this, "elements"))}/${String(Reflect.get(this, "epoch"))}`;
  }

  protected override handOver(batch: ElementBatch): void {
    this.sent.push(batch);
  }
  protected override handOverWatermark(watermark: Timestamp): void {
    this.sent.push(watermark);
  }
  protected override handOverBarrier(barrier: Barrier): void {
    this.sent.push(Object.freeze(barrier));
  }
}

interface Task {
  readonly name: string;
  readonly inbox: Inbox;
  readonly wires: readonly Wire[];
  seen: string[];
  isClosed: boolean;
  epochAtEnd: number;
  lastEpoch: number;
  /** What it had seen when it was frozen, and has seen of that epoch since: until all channels have brought the barrier. */
  late: { readonly inputWatermark: Timestamp; readonly seen: string[] } | undefined;
}

/** What a worker has of an epoch. */
interface Snapshots {
  readonly epoch: number;
  missing: string[];
  readonly tasks: Record<string, TaskMark>;
}

interface Worker {
  readonly tasks: readonly string[];
  /** Epochs that it has not heard of yet. */
  readonly orders: number[];
  /** What the coordinator has not heard yet. */
  readonly said: ({ readonly epoch: number; readonly part: Part } | "done")[];
  snapshots: Snapshots | undefined;
  isDone: boolean;
}

interface Publishing {
  readonly manifest: Manifest;
  isWritten: boolean;
}

interface Generation {
  readonly number: number;
  phase: "opened" | "found" | "running";
  from: Manifest | undefined;
  state: CheckpointState<Part>;
  publishing: Publishing | undefined;
  tasks: Record<string, Task>;
  workers: Worker[];
}

const NOTHING: Manifest = Object.freeze({ epoch: 0, generation: 0, isLast: false, tasks: {}, line: [] });
const INPUTS: Readonly<Record<string, readonly string[]>> = Object.freeze({ source: [], middle: ["source"], last: ["source", "middle"] });
const WORKERS: readonly (readonly string[])[] = [["source"], ["middle", "last"]];
const BATCHES: readonly ElementBatch[] = Array.from({ length: 8 }, (_, i) => {
  const batch = new ElementBatch();
  batch.push(String(i + 1), IMPULSE_META);
  Object.freeze(batch);
  return batch;
});
const noCredits = (): void => {};

/** Takes whatever has come for all. */
class UncountingInbox extends Inbox {}
Object.defineProperty(UncountingInbox.prototype, "reached", {
  value(this: Inbox, port: Port, { epoch, isEnd }: Barrier) {
    port.epoch = epoch;
    const reached = Reflect.get(Inbox.prototype, "reached") as (this: Inbox, port: Port, barrier: Barrier) => void;
    reached.call(this, port, new Barrier(epoch, port.elements, isEnd));
  },
});

/** An inbox from within. */
interface Port {
  readonly frames: (ElementBatch | Barrier | Timestamp)[];
  first: number;
  elements: number;
  epoch: number;
  readonly watermark: Timestamp;
}
interface InsideOfInbox {
  readonly ports: readonly Port[];
  readonly aligner: BarrierAligner | undefined;
  waiting: number;
}
const inside = (inbox: Inbox): InsideOfInbox => inbox as unknown as InsideOfInbox;

export class CheckpointWorld implements World {
  /** By number, which epoch a generation went on from (D4). */
  private readonly starts: (number | undefined)[] = [];
  private readonly manifests: Manifest[] = [];
  private generation: Generation | undefined;
  /** What was found before the generation began: only where that is the defect. */
  private early: Manifest | undefined;
  /** What generations that are gone have not come to the end of. */
  private readonly zombies: Publishing[] = [];
  /** Manifests that somebody has acted on: the last element of their lines. */
  private readonly announced: Manifest[] = [];
  private ticks: number;
  private crashes: number;
  private losses: number;
  isOver = false;
  private readonly elements: string;
  private readonly overtakes: boolean;

  constructor(
    budget: Budget,
    private readonly defect?: Defect,
  ) {
    this.ticks = budget.ticks;
    this.crashes = budget.crashes;
    this.losses = budget.losses;
    this.overtakes = budget.overtakes === true;
    this.elements = Array.from({ length: budget.elements }, (_, i) => i + 1).join("");
  }

  steps(): readonly string[] {
    const steps: string[] = [];
    for (const [i, { isWritten }] of this.zombies.entries()) steps.push(`${isWritten ? "look" : "write"} zombie ${i}`);
    const { generation } = this;
    if (this.isOver) return steps;
    if (generation === undefined)
      return [...steps, this.defect === "looks for manifests before it begins" && this.early === undefined ? "peek" : "open"];
    if (this.crashes > 0) steps.push("crash");
    if (generation.phase !== "running") return [...steps, generation.phase === "opened" ? "find" : "start"];
    if (generation.publishing !== undefined) steps.push(`${generation.publishing.isWritten ? "look" : "write"} own`);
    if (this.ticks > 0 && generation.state.phase === "resting") steps.push("tick");
    for (const [i, { orders, said }] of generation.workers.entries()) {
      if (orders.length > 0) steps.push(`order ${i}`);
      if (said.length > 0) steps.push(`hear ${i}`);
    }
    for (const task of Object.values(generation.tasks)) {
      if (task.isClosed) continue;
      const { ports, aligner } = inside(task.inbox);
      for (const [i, { frames, first }] of ports.entries()) {
        if (frames.length > first && aligner?.isBlocked(i) !== true) steps.push(`take ${task.name} ${i}`);
        if (this.losses > 0)
          for (let at = first; at < frames.length; at++) if (canBeLost(frames[at])) steps.push(`lose ${task.name} ${i} ${at}`);
      }
      if (this.overtakes && task.inbox.isHeldUp) steps.push(`overtake ${task.name}`);
      const isAtEnd = task.name === "source" ? task.seen[0] === this.elements : task.inbox.watermark === MAX_TIMESTAMP;
      if (isAtEnd) steps.push(`close ${task.name}`);
      else if (task.name === "source") steps.push("give source");
    }
    return steps;
  }

  take(step: string): void {
    const [what, who, port, at] = step.split(" ");
    const generation = this.generation!;
    switch (what) {
      case "write":
        return this.write(who === "own" ? generation.publishing! : this.zombies[Number(port)]);
      case "look":
        return who === "own" ? this.lookOwn(generation) : this.lookZombie(Number(port));
      case "peek":
        this.early = this.last() ?? NOTHING;
        return;
      case "open":
        return this.open();
      case "crash":
        this.crashes--;
        return this.crash();
      case "find":
        return this.find(generation);
      case "start":
        return this.start(generation);
      case "tick":
        this.ticks--;
        return this.step(generation, stepCheckpoints(generation.state, { type: "tick" }));
      case "order":
        return this.beginEpoch(generation, generation.workers[Number(who)], generation.workers[Number(who)].orders.shift()!);
      case "hear":
        return this.hear(generation, Number(who));
      case "give":
        return this.give(generation, generation.tasks.source);
      case "close":
        return this.close(generation, generation.tasks[who]);
      case "overtake":
        generation.tasks[who].inbox.overtake();
        return this.passBarrier(generation, generation.tasks[who]);
      case "take":
        return this.takeFrame(generation, generation.tasks[who], Number(port));
      case "lose":
        this.losses--;
        return lose(generation.tasks[who].inbox, Number(port), Number(at));
    }
  }

  key(): string {
    const { generation: of, ticks, crashes, losses, starts, manifests, zombies, announced } = this;
    let key = `${this.isOver ? "over" : ""} ${ticks} ${crashes} ${losses} ${starts.join()} ${manifests.map(nameOf).join()}`;
    key += ` ${zombies.map(keyOfPublishing).join()} ${announced.map(nameOf).join()}`;
    if (of === undefined) return `${key} ${this.early === undefined ? "" : nameOf(this.early)}`;
    const { state } = of;
    key += ` ${of.number} ${of.phase} ${of.from === undefined ? "" : nameOf(of.from)} ${keyOfPublishing(of.publishing)}`;
    key += ` ${state.phase} ${state.epoch} ${state.isDue} ${state.isOver} ${state.isLast} ${state.taken.map(({ worker, part }) => `${worker}${keyOfPart(part)}`).join()}`;
    for (const each of of.workers) key += `|${keyOfWorker(each)}`;
    for (const name in of.tasks) key += `|${keyOfTask(of.tasks[name])}`;
    return key;
  }

  check(): void {
    if (!this.isOver) return;
    for (const task of Object.keys(INPUTS)) {
      const found = this.generation!.from?.isLast === true ? this.generation!.from.tasks[task].seen : this.generation!.tasks[task].seen;
      for (const seen of found) assert.equal(seen, this.elements, `${task} has seen something else`);
    }
  }

  // The folder, and generations that begin and end.

  /** D1 */
  private open(): void {
    const from = this.early === NOTHING ? undefined : this.early;
    this.early = undefined;
    this.starts.push(undefined);
    const state = startCheckpoints<Part>(WORKERS.length, 0);
    this.generation = { number: this.starts.length, phase: "opened", from, state, publishing: undefined, tasks: {}, workers: [] };
  }

  private find(generation: Generation): void {
    if (this.defect !== "looks for manifests before it begins") generation.from = this.last();
    generation.phase = "found";
    for (const each of this.announced) this.checkSeen(each, generation.from);
  }

  private start(generation: Generation): void {
    const { from } = generation;
    this.starts[generation.number - 1] = from?.epoch ?? 0; // D4
    if (from?.isLast === true) return this.complete();
    generation.phase = "running";
    generation.state = startCheckpoints(WORKERS.length, from?.epoch ?? 0);
    generation.workers = WORKERS.map((tasks) => ({ tasks, orders: [], said: [], snapshots: undefined, isDone: false }));
    for (const [name, inputs] of Object.entries(INPUTS)) generation.tasks[name] = this.restored(name, inputs, from);
    for (const task of Object.values(generation.tasks)) if (task.isClosed) this.sendEnd(generation, task);
    for (const worker of generation.workers) this.noteDone(generation, worker);
  }

  private restored(name: string, inputs: readonly string[], from: Manifest | undefined): Task {
    const inbox = this.defect === "counts nothing" ? new UncountingInbox() : new Inbox();
    for (const input of inputs) inbox.addPort(noCredits, input);
    const wires = Object.entries(INPUTS).flatMap(([to, theirs]) => (theirs.includes(name) ? [new Wire(to, theirs.indexOf(name))] : []));
    const { seen, inputWatermark, isDone } = from?.tasks[name] ?? {
      seen: inputs.length === 0 ? [""] : inputs.map(() => ""),
      inputWatermark: undefined,
      isDone: false,
    };
    if (inputWatermark !== undefined && !isDone) inbox.goOnFrom(inputWatermark);
    return { name, inbox, wires, seen: [...seen], isClosed: isDone, epochAtEnd: 0, lastEpoch: 0, late: undefined };
  }

  private crash(): void {
    const { generation } = this;
    if (generation?.publishing !== undefined) this.zombies.push(generation.publishing);
    this.generation = undefined;
  }

  /** D3, D4 */
  private last(): Manifest | undefined {
    const limits = epochLimits(this.starts);
    const counting = this.manifests.filter(({ epoch, generation }) => epoch <= limits[generation - 1]);
    return counting.sort((a, b) => b.epoch - a.epoch || b.generation - a.generation)[0];
  }

  /** D2 */
  private write(publishing: Publishing): void {
    publishing.isWritten = true;
    this.manifests.push(publishing.manifest);
    const { tasks } = publishing.manifest;
    for (const { seen } of Object.values(tasks))
      for (const each of seen) assert.equal(each, tasks.source.seen[0], "what was published is no cut");
  }

  private lookOwn(generation: Generation): void {
    const { manifest } = generation.publishing!;
    generation.publishing = undefined;
    if (this.isFenced(manifest)) return this.crash();
    this.step(generation, stepCheckpoints(generation.state, { type: "published", epoch: manifest.epoch }), manifest);
  }

  /** If another process has it, which does not know of anything, it acts on what it has published. */
  private lookZombie(index: number): void {
    const [{ manifest }] = this.zombies.splice(index, 1);
    if (!this.isFenced(manifest)) this.announce(manifest);
  }

  /** D3 */
  private isFenced({ generation }: Manifest): boolean {
    return this.defect !== "does not look for later generations" && this.starts.length > generation;
  }

  private announce(manifest: Manifest): void {
    assert.ok(this.manifests.includes(manifest), "announced, but not published");
    this.announced.push(manifest);
    const { generation } = this;
    if (generation !== undefined && generation.phase !== "opened" && generation.number > manifest.generation)
      this.checkSeen(manifest, generation.from);
  }

  private checkSeen({ line }: Manifest, by: Manifest | undefined): void {
    const name = line.at(-1)!;
    assert.ok((by ?? NOTHING).line.includes(name), `epoch ${name} was acted on, but generation ${this.starts.length} has not seen it`);
  }

  private complete(): void {
    this.isOver = true;
  }

  // The coordinator.

  private step(generation: Generation, { next, effects }: CheckpointStep<Part>, published?: Manifest): void {
    generation.state = next;
    for (const effect of effects)
      if (effect.type === "trigger") for (const { orders } of generation.workers) orders.push(effect.epoch);
      else if (effect.type === "publish") {
        const { epoch, parts, isLast } = effect;
        const tasks: Part = Object.assign({}, generation.from?.tasks, ...parts.map(({ part }) => part)) as Part;
        const line = [...(this.lineOf(generation) ?? []), `${epoch} of ${generation.number}`];
        const manifest = Object.freeze({ epoch, generation: generation.number, isLast, tasks, line });
        generation.publishing = { manifest, isWritten: false };
        if (this.defect === "announces what is not published") this.announce(manifest);
      } else if (effect.type === "announce") this.announce(published!);
      else if (effect.type === "complete") this.complete();
  }

  /** Of the last one that it has published, or went on from. */
  private lineOf({ number, from }: Generation): readonly string[] | undefined {
    return (this.manifests.filter((each) => each.generation === number).at(-1) ?? from)?.line;
  }

  private hear(generation: Generation, index: number): void {
    const message = generation.workers[index].said.shift()!;
    if (message === "done") {
      if (generation.workers.every(({ isDone, said }) => isDone && !said.includes("done")))
        this.step(generation, stepCheckpoints(generation.state, { type: "over" }));
      return;
    }
    const { epoch, part } = message;
    const early = this.defect === "publishes before all have taken their part";
    const state = early ? { ...generation.state, workers: 1 } : generation.state;
    this.step(generation, stepCheckpoints(state, { type: "taken", worker: index, epoch, part }));
  }

  // Workers.

  private beginEpoch(generation: Generation, worker: Worker, epoch: number): void {
    if (epoch < (worker.snapshots?.epoch ?? 0) && this.defect !== "hears of an epoch behind the next one") return;
    snapshotsOf(worker, epoch);
    for (const name of worker.tasks) this.requestBarrier(generation, generation.tasks[name], epoch);
  }

  private freeze(generation: Generation, task: Task, epoch: number, inputWatermark = task.inbox.watermark, seen = task.seen): void {
    const { name, isClosed } = task;
    const worker = generation.workers.find(({ tasks }) => tasks.includes(name))!;
    const snapshots = snapshotsOf(worker, epoch);
    if (!snapshots.missing.includes(name)) return;
    snapshots.missing = snapshots.missing.filter((each) => each !== name);
    snapshots.tasks[name] = Object.freeze({ seen: Object.freeze([...seen]), inputWatermark, isDone: isClosed });
    if (snapshots.missing.length === 0) worker.said.push(Object.freeze({ epoch, part: Object.freeze({ ...snapshots.tasks }) }));
  }

  private noteDone({ tasks }: Generation, worker: Worker): void {
    if (worker.isDone || !worker.tasks.every((name) => tasks[name].isClosed)) return;
    worker.isDone = true;
    worker.said.push("done");
  }

  // Tasks.

  private requestBarrier(generation: Generation, task: Task, epoch: number): void {
    if (epoch <= task.lastEpoch) return;
    if (task.isClosed) {
      if (this.defect !== "does not freeze tasks that are over") this.freeze(generation, task, epoch);
      return;
    }
    task.epochAtEnd = epoch;
    task.inbox.requestBarrier(epoch);
    this.passBarrier(generation, task);
  }

  private passBarrier(generation: Generation, task: Task): void {
    const { aligner } = inside(task.inbox);
    if (this.defect === "passes a barrier that not all channels have brought" && aligner !== undefined)
      if ([0, 1].some((channel) => aligner.isBlocked(channel))) aligner.aligned = 1 + task.lastEpoch;
    const epoch = task.inbox.barrier;
    if (epoch === undefined) return;
    task.epochAtEnd = 0;
    task.lastEpoch = epoch;
    const { inbox, seen } = task;
    if (inbox.isOvertaking && this.defect !== "passes a barrier that not all channels have brought")
      task.late = { inputWatermark: inbox.watermark, seen: [...seen] };
    else this.freeze(generation, task, epoch);
    for (const wire of task.wires) wire.sendBarrier(epoch);
    deliver(generation, task);
    task.inbox.passBarrier();
  }

  private give(generation: Generation, task: Task): void {
    task.seen[0] += this.elements[task.seen[0].length];
    for (const wire of task.wires) wire.send(BATCHES[task.seen[0].length - 1]);
    deliver(generation, task);
  }

  private takeFrame(generation: Generation, task: Task, port: number): void {
    const { inbox } = task;
    inbox.pick = () => port;
    try {
      const batch = inbox.take();
      if (batch !== undefined) {
        const from = inside(inbox).ports.findIndex((each) => each === Reflect.get(inbox, "takenPort"));
        task.seen[from] += String(batch.values[0]);
        const isLate = task.late !== undefined && inside(inbox).aligner?.lags(from) === true;
        if (isLate && this.defect !== "records nothing of what was overtaken") task.late!.seen[from] += String(batch.values[0]);
        inbox.release();
        if (task.name === "middle") for (const wire of task.wires) wire.send(batch);
        deliver(generation, task);
      }
    } catch (error) {
      if (!(error instanceof LostElementsError)) throw error;
      return this.crash();
    }
    const { late } = task;
    if (late !== undefined && inside(inbox).aligner?.hasLagging !== true) {
      task.late = undefined;
      this.freeze(generation, task, task.lastEpoch, late.inputWatermark, late.seen);
    }
    inbox.pick = undefined;
    Object.assign(inbox, { next: 0, takenBytes: 0 }); // makes no difference
    this.passBarrier(generation, task);
  }

  private close(generation: Generation, task: Task): void {
    task.isClosed = true;
    this.sendEnd(generation, task);
    if (task.epochAtEnd > 0) this.freeze(generation, task, task.epochAtEnd);
    this.noteDone(
      generation,
      generation.workers.find(({ tasks }) => tasks.includes(task.name))!,
    );
  }

  private sendEnd(generation: Generation, task: Task): void {
    for (const wire of task.wires) wire.sendWatermark(MAX_TIMESTAMP);
    deliver(generation, task);
  }
}

// Keys: all that makes a difference.

const keyOfMark = ({ seen, inputWatermark, isDone }: TaskMark): string =>
  `${seen.join("/")}${inputWatermark === MAX_TIMESTAMP ? "$" : ""}${isDone ? "!" : ""}`;
const keyOfPart = (part: Part): string =>
  Object.entries(part)
    .map(([name, mark]) => `${name}${keyOfMark(mark)}`)
    .join("+");
const nameOf = ({ line, tasks, isLast }: Manifest): string => `${line.join("<")}:${keyOfPart(tasks)}${isLast ? "!" : ""}`;
const keyOfPublishing = (publishing: Publishing | undefined): string =>
  publishing === undefined ? "" : `${publishing.isWritten ? "w" : ""}${nameOf(publishing.manifest)}`;

function keyOfWorker({ orders, said, snapshots, isDone }: Worker): string {
  const heard = said.map((each) => (each === "done" ? each : `${each.epoch}${keyOfPart(each.part)}`)).join();
  const taking = snapshots === undefined ? "" : `${snapshots.epoch}-${snapshots.missing.join()}${keyOfPart(snapshots.tasks)}`;
  return `${orders.join()} ${heard} ${taking} ${isDone}`;
}

function keyOfTask({ seen, isClosed, epochAtEnd, lastEpoch, inbox, wires, late }: Task): string {
  const { ports, aligner, waiting } = inside(inbox);
  let key = `${seen.join("/")} ${isClosed} ${epochAtEnd} ${lastEpoch} ${waiting} ${inbox.watermark}`;
  for (const { frames, first, elements, epoch, watermark } of ports) {
    key += ` ${elements} ${epoch} ${watermark}:`;
    for (let at = first; at < frames.length; at++) key += keyOfFrame(frames[at]);
  }
  if (late !== undefined) key += ` late ${late.inputWatermark} ${late.seen.join("/")}`;
  if (aligner !== undefined) key += JSON.stringify(aligner);
  for (const wire of wires) key += ` ${wire.sentUp}`;
  return key;
}

function keyOfFrame(frame: ElementBatch | Barrier | Timestamp): string {
  if (frame instanceof ElementBatch) return `${String(frame.values[0])},`;
  return frame instanceof Barrier ? `b${frame.epoch}/${frame.elements}${frame.isEnd ? "e" : ""},` : `w${frame},`;
}

/** What is sent is in the inbox at once: it is taken when it likes. */
function deliver(generation: Generation, { wires }: Task): void {
  for (const wire of wires) {
    const { inbox } = generation.tasks[wire.target];
    for (const frame of wire.sent)
      if (frame instanceof ElementBatch) inbox.receive(wire.port, frame);
      else if (frame instanceof Barrier) inbox.receiveBarrier(wire.port, frame);
      else inbox.receiveWatermark(wire.port, frame);
    wire.sent = [];
  }
}

/** Batches, and barriers of epochs: that a channel hangs at its end is not for counts to see. */
function canBeLost(frame: ElementBatch | Barrier | Timestamp): boolean {
  return frame instanceof ElementBatch || (frame instanceof Barrier && !frame.isEnd);
}

function lose(inbox: Inbox, port: number, at: number): void {
  const { ports, aligner } = inside(inbox);
  ports[port].frames.splice(at, 1);
  if (aligner?.isBlocked(port) !== true) inside(inbox).waiting--;
}

function snapshotsOf(worker: Worker, epoch: number): Snapshots {
  if (worker.snapshots?.epoch === epoch) return worker.snapshots;
  return (worker.snapshots = { epoch, missing: [...worker.tasks], tasks: {} });
}
