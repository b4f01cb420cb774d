// The part of a topology that one worker runs: its tasks, wired to each other and to the links of other workers.
import { beam } from "../../portability/protos/index.js";
import type { RunCheckpoints } from "../../portability/stage-host/index.js";
import { MAX_TIMESTAMP } from "../../portability/values/index.js";
import {
  InFlight,
  Inbox,
  Outbox,
  systemClock,
  Task,
  VirtualClock,
  type Clock,
  type RemoteStage,
  type RuntimeOptions,
  type Worker,
} from "../runtime/index.js";
import type { SnapshotPart } from "../snapshot/index.js";
import { MemoryBudget, SpillFolder } from "../store/index.js";
import type { Component, Head, Topology } from "../topology/index.js";
import type { TaskPlacement } from "./deployment-plan.js";
import { feed, feedImpulse } from "./feeds.js";
import { openTask, type DeployedTask, type HeadParts } from "./open-task.js";
import { ResidualDealing } from "./residual-dealing.js";
import type { RestoredState } from "./restored-state.js";
import { SharedSideInputs } from "./shared-side-inputs.js";
import { inputCodersOf } from "./stage-coders.js";
import { TaskChannels, type ChannelParts, type Ends } from "./task-channels.js";
import type { SnapshotTask } from "./task-snapshots.js";
import { TestStreams } from "./test-streams.js";

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

/** A task as a deployment and its checkpoints see it. */
interface OwnTask extends DeployedTask {
  /** Those of its parts that an epoch may bring more of behind its barrier. */
  readonly late: SnapshotPart[];
}

/**
 * Builds this worker's tasks and everything between them. Nothing runs before {@link start}.
 *
 * - P1. All ports of an inbox exist before a frame can arrive: links are listened to last.
 */
export class Deployment {
  private readonly own = new Map<string, OwnTask>();
  private readonly sideInputs: SharedSideInputs;
  private readonly heads: HeadParts;
  private readonly testStreams: TestStreams | undefined;

  constructor(private readonly parts: DeploymentParts) {
    const { topology, plan, worker, host, links, options, owner, onError, warn, checkpoints } = parts;
    let clock: Clock = systemClock;
    if (hasVirtualTime(topology, options)) {
      const virtual = (clock = new VirtualClock());
      const testStreams = (this.testStreams = new TestStreams(virtual));
      owner.onIdle = () => this.stepIfQuiet(() => testStreams.step() || virtual.advanceToNext());
    }
    this.heads = {
      host,
      keyGroups: topology.keyGroups,
      clock,
      budget: new MemoryBudget(options.stateBytes),
      folder: new SpillFolder(options.spillFolder),
      hasCheckpoints: checkpoints !== undefined,
      bundleAttempts: options.bundleAttempts,
      warn,
      from: checkpoints?.from,
    };
    this.sideInputs = new SharedSideInputs(this.heads, topology.components);
    const placements = plan.tasks.filter((placement) => placement.worker === worker);
    const ends = new Map(placements.map(({ id, component }) => [id, this.endsOf(component)]));
    const channels = new TaskChannels(parts, ends);
    const dealing = new ResidualDealing({ plan, host, links, clock, epoch: checkpoints?.told.from, onError });
    for (const placement of placements) this.addTask(placement, ends.get(placement.id)!, dealing);
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
      await openTask(this.heads, deployed, () => this.parts.owner.wake(task));
      if (from === undefined) continue;
      await from.restore(placement, parts);
      task.goOnFrom(from.watermarkOf(placement.component.id));
    }
    this.opening = undefined;
  }

  /** When no task runs any more: nothing stays on disk. */
  close(): void {
    this.heads.folder.remove();
  }

  start(): void {
    for (const { task } of this.own.values()) task.start();
  }

  /** Sources end, and everything behind them then. */
  beginDrain(): void {
    this.testStreams?.drain();
    for (const { task } of this.own.values()) task.beginDrain();
  }

  private addTask(placement: TaskPlacement, { inbox, outbox, sideInputs }: Ends, dealing: ResidualDealing): void {
    const { host, options, owner, checkpoints } = this.parts;
    const { id, component } = placement;
    if (component.head.kind === "impulse" && !this.hadImpulse(component)) feedImpulse(inbox, host, component);
    if (component.head.kind === "test-stream") this.feedFromScript(component, component.head, inbox);
    const inFlight = this.inFlightOf(placement, inbox);
    const task = new Task({
      id,
      componentId: component.id,
      inbox,
      outbox,
      sideInputs,
      options,
      remote: this.remoteOf(component),
      clock: this.heads.clock,
      owner,
      onBarrier: (epoch, lags) => checkpoints?.onBarrier(snapshotTask, epoch, lags),
      onCaughtUp: (epoch) => checkpoints?.onCaughtUp(snapshotTask, epoch),
      inFlight,
      awaitsEpochs: checkpoints !== undefined,
      checkpoints: checkpoints?.told,
      onCheckpointWanted: () => checkpoints?.onWanted(),
    });
    const dealt = dealing.add(placement, outbox);
    if (dealt?.peers !== undefined) {
      dealt.peers.onArrival = () => owner.wake(task);
      dealt.peers.onCaughtUp = task.caughtUp;
    }
    const late: SnapshotPart[] = [];
    if (inFlight !== undefined) late.push(inFlight.snapshot);
    if (dealt?.snapshot !== undefined) late.push(dealt.snapshot);
    const parts = [...this.sideInputs.partsWrittenBy(placement), ...late];
    const own: OwnTask = { placement, task, sideInputs, parts, late, dealt };
    const snapshotTask = snapshotTaskOf(own);
    this.own.set(id, own);
    this.snapshotTasks.push(snapshotTask);
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

  /** Of a task with several channels, and no side inputs, which would have to wait, too. */
  private inFlightOf({ id, component }: TaskPlacement, inbox: Inbox): InFlight | undefined {
    if (this.parts.checkpoints === undefined || component.kind === "spout" || component.sideInputs.length > 0) return undefined;
    return new InFlight(id, inputCodersOf(this.heads, component), (batch) => feed(inbox, batch));
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
}

/** Whether processing time is not the system's. */
export function hasVirtualTime({ components }: Topology, { virtualTime }: Pick<RuntimeOptions, "virtualTime">): boolean {
  return virtualTime === true || components.some(({ head }) => head.kind === "test-stream");
}

function snapshotTaskOf({ placement, task, parts, late }: OwnTask): SnapshotTask {
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
