// The part of a topology that one worker runs: its tasks, wired to each other and to the links of other workers.
import type { Coder } from "../../portability/coders/coder.js";
import { ByteReader } from "../../portability/coders/index.js";
import { beam } from "../../portability/protos/index.js";
import {
  PipelineError,
  type MergeAccumulators,
  type RunCheckpoints,
  type StageDescriptor,
  type StageHost,
} from "../../portability/stage-host/index.js";
import { IMPULSE_META, MAX_TIMESTAMP, type Receiver, type Window } from "../../portability/values/index.js";
import {
  VirtualClock,
  ElementBatch,
  ElementSizer,
  Inbox,
  LateOutputHead,
  Outbox,
  RelayHead,
  type SideInputBuffer,
  SideInputHead,
  SourceHead,
  SplittableHead,
  WindowMergingHead,
  StableInputHead,
  Task,
  type Clock,
  InFlight,
  type HeadOperator,
  systemClock,
  type RuntimeOptions,
  type RemoteStage,
  type Worker,
} from "../runtime/index.js";
import { EvictedRecords, KeyedHead, KeyedSnapshot, KeyedStore } from "../keyed/index.js";
import type { SnapshotPart } from "../snapshot/index.js";
import { KeyGroups, keySpaceOf, MemoryBudget, SpillFolder, type SpillError, spillingStore, type StateStore } from "../store/index.js";
import type { Component, Head, Topology } from "../topology/index.js";
import { GroupByKey, GroupIntoPanes, GroupsSnapshot, hasOnePane, PanesSnapshot, type GroupingStrategy } from "../windows/index.js";
import type { TaskPlacement } from "./deployment-plan.js";
import { mergeOfGrouping } from "./merge-of-grouping.js";
import { rawCellCoders, readCellCoders, readKeyedSpec } from "./read-keyed-spec.js";
import type { RestoredState } from "./restored-state.js";
import type { SnapshotTask } from "./task-snapshots.js";
import { mergesElsewhere, readGroupingStrategy } from "./read-grouping-strategy.js";
import { inputCodersOf, isKeyed, keptCodersOf, keyCoderOf, windowCoderOf } from "./stage-coders.js";
import { SharedSideInputs } from "./shared-side-inputs.js";
import type { StateParts } from "./state-parts.js";
import { ResidualDealing, type DealtResiduals } from "./residual-dealing.js";
import { TaskChannels, type ChannelParts, type Ends } from "./task-channels.js";
import { TestStreams } from "./test-streams.js";
import { readWindowFn } from "./read-window-fn.js";

type GroupingHead = Extract<Head, { kind: "group-by-key" }>;

export interface DeploymentParts extends ChannelParts {
  readonly options: RuntimeOptions;
  readonly owner: Worker;
  /** Told of what people should know. */
  readonly warn: (text: string) => void;
  /** What snapshots are taken for; undefined where there are none. */
  readonly checkpoints?: DeployedCheckpoints | undefined;
}

/** How tasks take part in checkpoints. */
export interface DeployedCheckpoints {
  readonly told: Omit<RunCheckpoints, "epoch">;
  /** A task is at the barrier of an epoch: its state is to be frozen now. */
  readonly onBarrier: (task: SnapshotTask, epoch: number, lags: boolean) => void;
  /** All that belongs to the epoch has come to the task. */
  readonly onCaughtUp: (task: SnapshotTask, epoch: number) => void;
  /** A task waits for nothing but a checkpoint. */
  readonly onWanted: () => void;
  /** What the tasks go on from. */
  readonly from: RestoredState | undefined;
}

interface DeployedTask {
  readonly placement: TaskPlacement;
  readonly task: Task;
  readonly sideInputs: readonly SideInputBuffer[];
  /** What it keeps beyond bundles; all of it is here once the task is open. */
  readonly parts: SnapshotPart[];
  /** Those of them that an epoch may bring more of behind its barrier. */
  readonly late: SnapshotPart[];
  readonly dealt: DealtResiduals | undefined;
}

/**
 * Builds this worker's tasks and everything between them. Nothing runs before {@link start}.
 *
 * - P1. All ports of an inbox exist before a frame can arrive: links are listened to last.
 */
export class Deployment {
  private readonly own = new Map<string, DeployedTask>();
  private readonly sideInputs: SharedSideInputs;
  private readonly state: StateParts;
  private readonly testStreams: TestStreams | undefined;

  constructor(private readonly parts: DeploymentParts) {
    const { plan, host, links, onError } = parts;
    let clock: Clock = systemClock;
    if (hasVirtualTime(parts.topology, parts.options)) {
      const virtual = (clock = new VirtualClock());
      const testStreams = (this.testStreams = new TestStreams(virtual));
      parts.owner.onIdle = () => this.stepIfQuiet(() => testStreams.step() || virtual.advanceToNext());
    }
    this.state = {
      host: parts.host,
      keyGroups: parts.topology.keyGroups,
      clock,
      budget: new MemoryBudget(parts.options.stateBytes),
      folder: new SpillFolder(parts.options.spillFolder),
      hasCheckpoints: parts.checkpoints !== undefined,
    };
    this.sideInputs = new SharedSideInputs(this.state, parts.topology.components);
    const placements = parts.plan.tasks.filter(({ worker }) => worker === parts.worker);
    const ends = new Map(placements.map(({ id, component }) => [id, this.endsOf(component)]));
    const channels = new TaskChannels(parts, ends);
    const dealing = new ResidualDealing({ plan, host, links, clock, epoch: parts.checkpoints?.told.from, onError });
    for (const placement of placements) {
      const { id, component } = placement;
      const { inbox, outbox, sideInputs } = ends.get(id)!;
      if (component.head.kind === "impulse" && !this.hadImpulse(component)) feedImpulse(inbox, impulseOf(parts.host, component));
      if (component.head.kind === "test-stream") this.feedFromScript(component, component.head, inbox);
      const { options, owner, checkpoints } = parts;
      const onBarrier = (epoch: number, lags: boolean): void => checkpoints?.onBarrier(snapshotTask, epoch, lags);
      const inFlight = this.inFlightOf(placement, inbox);
      const awaitsEpochs = checkpoints !== undefined;
      const task = new Task({
        id,
        componentId: component.id,
        inbox,
        outbox,
        sideInputs,
        options,
        remote: this.remoteOf(component),
        clock: this.state.clock,
        owner,
        onBarrier,
        onCaughtUp: (epoch) => checkpoints?.onCaughtUp(snapshotTask, epoch),
        inFlight,
        awaitsEpochs,
        checkpoints: checkpoints?.told,
        onCheckpointWanted: () => checkpoints?.onWanted(),
      });
      const dealt = dealing.add(placement, outbox);
      const late: SnapshotPart[] = [];
      if (inFlight !== undefined) late.push(inFlight.snapshot);
      if (dealt?.snapshot !== undefined) late.push(dealt.snapshot);
      const deployed: DeployedTask = {
        placement,
        task,
        sideInputs,
        parts: [...this.sideInputs.partsWrittenBy(placement), ...late],
        late,
        dealt,
      };
      if (dealt?.peers !== undefined) {
        dealt.peers.onArrival = () => owner.wake(task);
        dealt.peers.onCaughtUp = task.caughtUp;
      }
      const snapshotTask = snapshotTaskOf(deployed);
      this.own.set(id, deployed);
      this.snapshotTasks.push(snapshotTask);
    }
    channels.listen(dealing.connect()); // P1
  }

  /** The tasks as checkpoints see them. */
  readonly snapshotTasks: SnapshotTask[] = [];

  get tasks(): Task[] {
    return [...this.own.values()].map(({ task }) => task);
  }

  /** The task whose user code is being set up. */
  opening: string | undefined;

  /** Opens the executors: user code is set up when it resolves. */
  async open(): Promise<void> {
    const from = this.parts.checkpoints?.from;
    if (from !== undefined) await this.sideInputs.restore(from);
    for (const deployed of this.own.values()) {
      const { placement, task, parts } = deployed;
      this.opening = placement.id;
      if (from?.isOver(placement.component.id) === true) {
        task.goOnFromEnd();
        continue;
      }
      await this.openTask(deployed);
      if (from === undefined) continue;
      await from.restore(placement, parts);
      task.goOnFrom(from.watermarkOf(placement.component.id));
    }
    this.opening = undefined;
  }

  private async openTask({ placement, task, sideInputs, parts, dealt }: DeployedTask): Promise<void> {
    const { component } = placement;
    const { stage, head } = component;
    const keyed = head.kind === "keyed" ? this.keyedStore(component, head, parts) : undefined;
    const residuals = dealt?.residuals;
    const source = head.kind === "read" ? await this.openSource(placement, head, task, parts) : undefined;
    const wake = (): void => this.parts.owner.wake(task);
    const delivers = (next: Receiver, late: Receiver): HeadOperator =>
      residuals !== undefined
        ? new SplittableHead(residuals, next, wake, dealt?.peers)
        : (source?.(next) ?? this.headOf(component, next, late, parts));
    const isStable = component.requiresStableInput === true && this.parts.checkpoints !== undefined;
    const headFor = (next: Receiver, late: Receiver): HeadOperator => {
      if (!isStable) return delivers(next, late);
      const stable = new StableInputHead(placement.id, next, keptCodersOf(this.state, component), (inner) => delivers(inner, late));
      parts.push(stable.snapshot);
      return stable;
    };
    let keyedHead: KeyedHead | undefined;
    const waitingOptions = {
      wake,
      latenessMs: latenessOf(stage, head.output),
      stateNeedsFrom: () => keyedHead?.nextInstant ?? residuals?.needsFrom() ?? Infinity,
    };
    const waitingHead = (next: Receiver, late: Receiver): HeadOperator => {
      const waiting = new SideInputHead(sideInputs, next, (inner) => headFor(inner, late), waitingOptions);
      if (this.parts.checkpoints !== undefined) parts.push(waiting.snapshot(placement.id, keptCodersOf(this.state, component)));
      return waiting;
    };
    const isReady = sideInputs.length === 0 ? undefined : (window: Window) => sideInputs.every((sideInput) => sideInput.isReady(window));
    await task.open({
      open: () => this.parts.host.open(stage, task.contextFor(stage.outputs, { keyed, residuals })),
      input: head.output,
      late: head.kind === "group-by-key" ? head.late : undefined,
      head: sideInputs.length > 0 ? waitingHead : isRelay(component) && !isStable ? undefined : headFor,
      keyed: keyed === undefined ? undefined : (next, executor) => (keyedHead = new KeyedHead(keyed, next, executor, isReady)),
      isKeyed: isKeyed(head),
    });
  }

  /** When no task runs any more: nothing stays on disk. */
  close(): void {
    this.state.folder.remove();
  }

  start(): void {
    for (const { task } of this.own.values()) task.start();
  }

  /** Sources end, and everything behind them then. */
  beginDrain(): void {
    this.testStreams?.drain();
    for (const { task } of this.own.values()) task.beginDrain();
  }

  /** The reader of a spout, as what makes a head of it. The host closes it if the task is never opened. */
  private async openSource(
    placement: TaskPlacement,
    { transformId, transformName }: Extract<Head, { kind: "read" }>,
    task: Task,
    parts: SnapshotPart[],
  ): Promise<(stage: Receiver) => HeadOperator> {
    const { host, owner, checkpoints } = this.parts;
    const { clock } = this.state;
    const { component, index } = placement;
    if (host.openSource === undefined)
      throw new PipelineError("unsupported_feature", `"${transformName}" is a source, and its SDK reads none for a runner`);
    let head: SourceHead | undefined;
    const before = await checkpoints?.from?.sourceMarkOf(placement);
    const reader = await host.openSource(component.stage, transformId, {
      index,
      count: component.parallelism,
      position: before?.position,
      now: () => clock.now(),
      available: () => head?.available(), // the first read comes anyway
    });
    return (stage) => {
      head = new SourceHead(reader, stage, clock, () => owner.wake(task));
      parts.push(head.snapshot);
      return head;
    };
  }

  private feedFromScript({ stage }: Component, { transformId, tag }: Extract<Head, { kind: "test-stream" }>, inbox: Inbox): void {
    const payload = stage.components.transforms?.[transformId]?.spec?.payload ?? new Uint8Array();
    this.testStreams?.feed(transformId, tag, payload, (coderId) => this.parts.host.coder(stage, coderId), inbox);
  }

  /** An event of a script takes place, or time goes on, when nothing else can happen; if that wakes nobody, the next one does. */
  private stepIfQuiet(step: () => boolean): void {
    for (const { task } of this.own.values()) if (!task.isDone && task.waitsForUser) return;
    try {
      while (this.parts.owner.isIdle && step());
    } catch (error) {
      this.parts.onError(error); // nobody else would hear of it
    }
  }

  private headOf({ head, stage }: Component, receiver: Receiver, late: Receiver, parts: SnapshotPart[]): HeadOperator {
    if (head.kind !== "group-by-key") return new RelayHead(receiver);
    if (head.late === undefined) return this.groupingOf(head, stage, parts, receiver);
    return new LateOutputHead(late, (waiting) => this.groupingOf(head, stage, parts, receiver, waiting));
  }

  private groupingOf(head: GroupingHead, stage: StageDescriptor, parts: SnapshotPart[], receiver: Receiver, late?: Receiver): HeadOperator {
    const coder = this.parts.host.coder(stage, head.coderId);
    const key = keyCoderOf(coder, head.transformName);
    const keys = keySpaceOf(key);
    const groups = new KeyGroups(this.parts.topology.keyGroups, keys);
    const { windowingStrategyId } = head;
    const merge = mergeOfGrouping(this.parts.host, stage, head.output);
    const coders = { key, value: coder.components[1], window: windowCoderOf(this.parts.host, stage, windowingStrategyId) };
    const panes = (strategy: GroupingStrategy): GroupIntoPanes => {
      const grouping = new GroupIntoPanes(strategy, keys, receiver, () => this.state.clock.now(), late, merge);
      if (this.parts.checkpoints !== undefined) parts.push(new PanesSnapshot(grouping, coders, groups));
      return grouping;
    };
    const isElsewhere = mergesElsewhere(stage.components.windowingStrategies?.[windowingStrategyId]);
    const merger = isElsewhere ? this.parts.host.windowMerger?.(stage, windowingStrategyId) : undefined;
    if (merger !== undefined)
      return new WindowMergingHead(merger, keys, this.parts.options.bundleAttempts, (mergeWindows) =>
        panes(readGroupingStrategy(head, stage.components, undefined, mergeWindows)),
      );
    const strategy = readGroupingStrategy(head, stage.components, readWindowFn(this.parts.host, stage, windowingStrategyId));
    if (!hasOnePane(strategy)) return panes(strategy);
    const store = this.spillingStore(groups, coder, merge);
    const grouping = new GroupByKey(strategy.timestampCombiner, keys, store, receiver, late);
    if (this.parts.checkpoints !== undefined) parts.push(new GroupsSnapshot(grouping, coders, groups));
    return grouping;
  }

  private keyedStore({ id, stage }: Component, head: Extract<Head, { kind: "keyed" }>, parts: SnapshotPart[]): KeyedStore {
    const coderOf = (coderId: string): Coder<unknown> => this.parts.host.coder(stage, coderId);
    const key = keyCoderOf(coderOf(head.coderId), head.transformName);
    const keys = keySpaceOf(key);
    const byProtocol = this.parts.host.keepsStateByProtocol === true;
    const spec = readKeyedSpec(head, stage.components, keys, coderOf, byProtocol);
    const store = new KeyedStore(spec, () => this.state.clock.now());
    const window = windowCoderOf(this.parts.host, stage, head.windowingStrategyId);
    const cells = byProtocol
      ? rawCellCoders(spec)
      : readCellCoders(head, stage.components, coderOf, (id) => this.parts.host.stateCoders?.(stage, head.transformId, id));
    const coders = { key, window, element: coderOf(head.coderId), cells };
    const groups = new KeyGroups(this.parts.topology.keyGroups, keys);
    const { budget, folder } = this.state;
    const full = ({ message }: SpillError): void =>
      this.parts.warn(`state of ${id} that is gone on from is kept in memory, all of it, and none of it goes to disk any more: ${message}`);
    store.evicted = new EvictedRecords(store, { coders, groups, budget, folder, full });
    if (this.parts.checkpoints !== undefined) parts.push(new KeyedSnapshot(store, coders, groups));
    return store;
  }

  /** Of a task with several channels, and no side inputs, which would have to wait, too. */
  private inFlightOf({ id, component }: TaskPlacement, inbox: Inbox): InFlight | undefined {
    if (this.parts.checkpoints === undefined || component.kind === "spout" || component.sideInputs.length > 0) return undefined;
    return new InFlight(id, inputCodersOf(this.state, component), (batch) => feed(inbox, batch));
  }

  /** Whether the one impulse element has been processed in the run that this one goes on from. */
  private hadImpulse({ id }: Component): boolean {
    return this.parts.checkpoints?.from?.watermarkOf(id) === MAX_TIMESTAMP;
  }

  /** Where input never ends somebody waits for what comes of it, and so does a checkpoint. */
  private remoteOf({ stage }: Component): RemoteStage | undefined {
    if (this.parts.host.isRemote !== true) return undefined;
    const { pcollections } = stage.components;
    const isUnbounded = stage.inputs.some((id) => pcollections?.[id]?.isBounded === beam.pipeline.IsBounded.Enum.UNBOUNDED);
    return { isAwaited: isUnbounded || this.parts.checkpoints !== undefined };
  }

  private endsOf({ sideInputs, stage }: Component): Ends {
    return {
      inbox: new Inbox(),
      sideInputs: sideInputs.map((port) => this.sideInputs.bufferOf(stage, port)),
      outbox: new Outbox(this.parts.options[this.parts.host.isRemote === true ? "remoteBundleBytes" : "bundleBytes"]),
    };
  }

  private spillingStore(groups: KeyGroups, { components: [keyCoder, valueCoder] }: Coder<unknown>, merge?: MergeAccumulators): StateStore {
    const sizer = new ElementSizer(() => valueCoder);
    const { budget, folder } = this.state;
    return spillingStore({ groups, keyCoder, valueCoder, sizeOf: (value) => sizer.sizeOf(value), budget, folder, merge });
  }
}

/** Whether processing time is not the system's. */
export function hasVirtualTime({ components }: Topology, { virtualTime }: Pick<RuntimeOptions, "virtualTime">): boolean {
  return virtualTime === true || components.some(({ head }) => head.kind === "test-stream");
}

/** No bytes, in the form that the stage's host takes (stage-host, H4). */
function impulseOf(host: StageHost, { head, stage }: Component): unknown {
  const coderId = stage.components.pcollections?.[head.output]?.coderId;
  return coderId ? host.coder(stage, coderId).decode(new ByteReader(Uint8Array.of(0)), true) : new Uint8Array(0);
}

/** Whether elements go to the stage as they come. */
function isRelay({ head }: Component): boolean {
  return head.kind !== "group-by-key" && head.kind !== "read" && head.kind !== "splittable";
}

function feedImpulse(inbox: Inbox, value: unknown): void {
  const batch = new ElementBatch();
  batch.push(value, IMPULSE_META);
  feed(inbox, batch);
}

/** Elements that are there before any channel brings some. */
function feed(inbox: Inbox, batch: ElementBatch): void {
  const port = inbox.addFeed();
  inbox.receive(port, batch);
  inbox.receiveWatermark(port, MAX_TIMESTAMP);
}

function latenessOf({ components }: StageDescriptor, pcollection: string): number {
  const strategy = components.windowingStrategies?.[components.pcollections?.[pcollection]?.windowingStrategyId ?? ""];
  return Number(strategy?.allowedLateness ?? 0);
}

function snapshotTaskOf({ placement, task, parts, late }: DeployedTask): SnapshotTask {
  const { id, component, index } = placement;
  return {
    id,
    component: component.id,
    index,
    parts,
    late,
    mark: () => ({ id, inputWatermark: task.watermark, isDone: task.isOver }),
    counts: () => task.counts(),
  };
}
