// The part of a topology that one worker runs: its tasks, wired to each other and to the links of other workers.
import type { Coder } from "../../portability/coders/coder.js";
import { ByteReader } from "../../portability/coders/index.js";
import { PipelineError, type StageDescriptor, type StageHost } from "../../portability/stage-host/index.js";
import { IMPULSE_META, MAX_TIMESTAMP, type Receiver, type Window } from "../../portability/values/index.js";
import type { WindowFn } from "../../portability/windows/index.js";
import {
  allStream,
  VirtualClock,
  BatchCodec,
  ElementBatch,
  ElementSizer,
  fieldsStream,
  Inbox,
  LateOutputHead,
  LocalChannel,
  MAX_FRAME_BYTES,
  Outbox,
  RelayHead,
  RemoteChannel,
  RemotePort,
  shuffleStream,
  SideInputBuffer,
  SideInputHead,
  SourceHead,
  singleStream,
  Task,
  type Clock,
  type HeadOperator,
  type Link,
  type LinkListener,
  type OutputChannel,
  type OutputStream,
  systemClock,
  type RuntimeOptions,
  type Worker,
} from "../runtime/index.js";
import { KeyedHead, KeyedStore } from "../keyed/index.js";
import { KeyGroups, keySpaceOf, MemoryBudget, SpillFolder, spillingStore, type StateStore } from "../store/index.js";
import type { Component, Head, Stream, Topology } from "../topology/index.js";
import { GroupByKey, GroupIntoPanes, hasOnePane } from "../windows/index.js";
import type { ChannelPlan, DeploymentPlan, TaskPlacement } from "./deployment-plan.js";
import { readKeyedSpec } from "./read-keyed-spec.js";
import { readGroupingStrategy } from "./read-grouping-strategy.js";
import { TestStreams } from "./test-streams.js";
import { readWindowFn } from "./read-window-fn.js";

type GroupingHead = Extract<Head, { kind: "group-by-key" }>;

export interface DeploymentParts {
  readonly topology: Topology;
  readonly plan: DeploymentPlan;
  readonly worker: number;
  readonly host: StageHost;
  /** Link to each other worker, by index. */
  readonly links: ReadonlyMap<number, Link>;
  readonly options: RuntimeOptions;
  readonly owner: Worker;
  /** Told of failures outside of any task. */
  readonly onError: (error: unknown) => void;
}

interface DeployedTask {
  readonly placement: TaskPlacement;
  readonly task: Task;
  readonly sideInputs: readonly SideInputBuffer[];
}

/** Where the streams of a task begin and end. */
interface Ends {
  readonly inbox: Inbox;
  readonly sideInputs: readonly SideInputBuffer[];
  readonly outbox: Outbox;
}

/**
 * Builds this worker's tasks and everything between them. Nothing runs before {@link start}.
 *
 * - P1. All ports of an inbox exist before a frame can arrive: links are listened to last.
 */
export class Deployment {
  private readonly own = new Map<string, DeployedTask>();
  private readonly remotePorts = new Map<number, RemotePort>();
  private readonly remoteChannels = new Map<number, RemoteChannel>();

  private readonly budget: MemoryBudget;
  private readonly clock: Clock;
  private readonly testStreams: TestStreams | undefined;
  private readonly folder: SpillFolder;

  constructor(private readonly parts: DeploymentParts) {
    if (hasVirtualTime(parts.topology, parts.options)) {
      const clock = (this.clock = new VirtualClock());
      const testStreams = (this.testStreams = new TestStreams(clock));
      parts.owner.onIdle = () => this.stepIfQuiet(() => testStreams.step() || clock.advanceToNext());
    } else this.clock = systemClock;
    this.budget = new MemoryBudget(parts.options.stateBytes);
    this.folder = new SpillFolder(parts.options.spillFolder);
    const placements = parts.plan.tasks.filter(({ worker }) => worker === parts.worker);
    const ends = new Map(placements.map(({ id, component }) => [id, this.endsOf(component)]));
    for (const plan of parts.plan.channels) this.addRemotePort(plan, ends);
    for (const stream of parts.topology.streams)
      for (const placement of placements) if (placement.component.id === stream.from) this.addStream(stream, placement, ends);
    for (const placement of placements) {
      const { id, component } = placement;
      const { inbox, outbox, sideInputs } = ends.get(id)!;
      if (component.head.kind === "impulse") feedImpulse(inbox, impulseOf(parts.host, component));
      if (component.head.kind === "test-stream") this.feedFromScript(component, component.head, inbox);
      const { options, owner } = parts;
      const task = new Task({ id, componentId: component.id, inbox, outbox, sideInputs, options, clock: this.clock, owner });
      this.own.set(id, { placement, task, sideInputs });
    }
    for (const [worker, link] of parts.links) link.listen(this.linkListener(worker)); // P1
  }

  get tasks(): Task[] {
    return [...this.own.values()].map(({ task }) => task);
  }

  /** The task whose user code is being set up. */
  opening: string | undefined;

  /** Opens the executors: user code is set up when it resolves. */
  async open(): Promise<void> {
    for (const { placement, task, sideInputs } of this.own.values()) {
      const { component } = placement;
      const { stage, head } = component;
      this.opening = placement.id;
      const state = head.kind === "keyed" ? this.keyedStore(component, head) : undefined;
      const source = head.kind === "read" ? await this.openSource(placement, head, task) : undefined;
      const headFor = (next: Receiver, late: Receiver): HeadOperator => source?.(next) ?? this.headOf(component, next, late);
      const waitingHead = (next: Receiver, late: Receiver): HeadOperator =>
        new SideInputHead(sideInputs, next, (inner) => headFor(inner, late));
      await task.open({
        open: () => this.parts.host.open(stage, task.contextFor(stage.outputs, state)),
        input: head.output,
        late: head.kind === "group-by-key" ? head.late : undefined,
        head: sideInputs.length > 0 ? waitingHead : isRelay(component) ? undefined : headFor,
        keyed: state === undefined ? undefined : (next, executor) => new KeyedHead(state, next, executor),
        isKeyed: head.kind === "group-by-key" || head.kind === "keyed",
      });
    }
    this.opening = undefined;
  }

  /** When no task runs any more: nothing stays on disk. */
  close(): void {
    this.folder.remove();
  }

  start(): void {
    for (const { task } of this.own.values()) task.start();
  }

  /** The reader of a spout, as what makes a head of it. The host closes it if the task is never opened. */
  private async openSource(
    { component, index }: TaskPlacement,
    { transformId, transformName }: Extract<Head, { kind: "read" }>,
    task: Task,
  ): Promise<(stage: Receiver) => HeadOperator> {
    const { host, owner } = this.parts;
    const { clock } = this;
    if (host.openSource === undefined)
      throw new PipelineError("unsupported_feature", `"${transformName}" is a source, and its SDK reads none for a runner`);
    let head: SourceHead | undefined;
    const reader = await host.openSource(component.stage, transformId, {
      index,
      count: component.parallelism,
      now: () => clock.now(),
      available: () => head?.available(), // the first read comes anyway
    });
    return (stage) => (head = new SourceHead(reader, stage, clock, () => owner.wake(task)));
  }

  private feedFromScript({ stage }: Component, { transformId, tag }: Extract<Head, { kind: "test-stream" }>, inbox: Inbox): void {
    const payload = stage.components.transforms?.[transformId]?.spec?.payload ?? new Uint8Array();
    this.testStreams?.feed(transformId, tag, payload, (coderId) => this.parts.host.coder(stage, coderId), inbox);
  }

  /** An event of a script takes place, or time goes on, when nothing else can happen; if that wakes nobody, the next one does. */
  private stepIfQuiet(step: () => boolean): void {
    for (const { task } of this.own.values()) if (!task.isDone && task.waitsForUser) return;
    while (this.parts.owner.isIdle && step());
  }

  private addRemotePort({ id, stream, from, to }: ChannelPlan, ends: ReadonlyMap<string, Ends>): void {
    const { worker, links, options } = this.parts;
    if (to.worker !== worker || from.worker === worker) return;
    const port = new RemotePort(
      id,
      links.get(from.worker)!,
      inboxOf(stream, ends.get(to.id)!),
      this.codecOf(stream),
      options.channelBytes,
      from.id,
    );
    this.remotePorts.set(id, port);
  }

  private addStream(stream: Stream, placement: TaskPlacement, ends: ReadonlyMap<string, Ends>): void {
    const { options, plan } = this.parts;
    const owner = ends.get(placement.id)!.outbox;
    const channels = plan.channels
      .filter((channel) => channel.stream === stream && channel.from.id === placement.id)
      .map((channel) => this.channelOf(channel, ends));
    const coder = (): Coder<unknown> => this.coderOf(stream, stream.coderId);
    const parts = { channels, sizer: new ElementSizer(coder), batchBytes: batchBytes(options), owner };
    owner.addStream(stream.pcollection, this.outputStream(stream, parts));
  }

  private outputStream(stream: Stream, parts: Parameters<typeof singleStream>[0]): OutputStream {
    if (parts.channels.length === 1) return singleStream(parts);
    if (stream.grouping === "all") return allStream(parts);
    if (stream.grouping !== "fields") return shuffleStream(parts);
    const coder = this.coderOf(stream, stream.coderId);
    return fieldsStream(parts, new KeyGroups(this.parts.topology.keyGroups, keySpaceOf(keyCoderOf(coder, stream.pcollection))));
  }

  private channelOf({ id, stream, from, to }: ChannelPlan, ends: ReadonlyMap<string, Ends>): OutputChannel {
    const { worker, links, options, onError } = this.parts;
    if (to.worker === worker)
      return new LocalChannel(inboxOf(stream, ends.get(to.id)!), options.channelBytes, { from: from.id, to: to.id });
    const failed = (error: unknown): void =>
      onError(
        new Error(`elements of ${stream.pcollection} cannot be sent to ${to.id}: ${String((error as Error).message)}`, { cause: error }),
      );
    const channel = new RemoteChannel(id, links.get(to.worker)!, this.codecOf(stream), options.channelBytes, failed, to.id);
    this.remoteChannels.set(id, channel);
    return channel;
  }

  private headOf({ head, stage }: Component, receiver: Receiver, late: Receiver): HeadOperator {
    if (head.kind !== "group-by-key") return new RelayHead(receiver);
    if (head.late === undefined) return this.groupingOf(head, stage, receiver);
    return new LateOutputHead(late, (waiting) => this.groupingOf(head, stage, receiver, waiting));
  }

  private groupingOf(head: GroupingHead, stage: StageDescriptor, receiver: Receiver, late?: Receiver): HeadOperator {
    const keys = keySpaceOf(keyCoderOf(this.parts.host.coder(stage, head.coderId), head.transformName));
    const strategy = readGroupingStrategy(head, stage.components, this.windowFnOf(stage, head.windowingStrategyId));
    if (!hasOnePane(strategy)) return new GroupIntoPanes(strategy, keys, receiver, () => this.clock.now(), late);
    const groups = new KeyGroups(this.parts.topology.keyGroups, keys);
    const store = this.spillingStore(groups, this.parts.host.coder(stage, head.coderId));
    return new GroupByKey(strategy.timestampCombiner, keys, store, receiver, late);
  }

  private keyedStore({ stage }: Component, head: Extract<Head, { kind: "keyed" }>): KeyedStore {
    const coderOf = (coderId: string): Coder<unknown> => this.parts.host.coder(stage, coderId);
    const keys = keySpaceOf(keyCoderOf(coderOf(head.coderId), head.transformName));
    return new KeyedStore(readKeyedSpec(head, stage.components, keys, coderOf), () => this.clock.now());
  }

  private endsOf({ sideInputs, stage }: Component): Ends {
    return {
      inbox: new Inbox(),
      sideInputs: sideInputs.map(
        ({ pcollection, windowingStrategyId }) => new SideInputBuffer(pcollection, this.windowFnOf(stage, windowingStrategyId)),
      ),
      outbox: new Outbox(this.parts.options.bundleBytes),
    };
  }

  /** Undefined for one that only its SDK can execute. */
  private windowFnOf(stage: StageDescriptor, windowingStrategyId: string): WindowFn | undefined {
    return this.parts.host.windowFn?.(stage, windowingStrategyId) ?? readWindowFn(stage.components, windowingStrategyId);
  }

  private spillingStore(groups: KeyGroups, { components: [keyCoder, valueCoder] }: Coder<unknown>): StateStore {
    const sizer = new ElementSizer(() => valueCoder);
    const { budget, folder } = this;
    return spillingStore({ groups, keyCoder, valueCoder, sizeOf: (value) => sizer.sizeOf(value), budget, folder });
  }

  private codecOf(stream: Stream): BatchCodec {
    const { windowCoderId } = this.componentOf(stream).stage.components.windowingStrategies![stream.windowingStrategyId];
    const window = this.coderOf(stream, windowCoderId ?? "") as Coder<Window>;
    return new BatchCodec(this.coderOf(stream, stream.coderId), window, MAX_FRAME_BYTES);
  }

  private coderOf(stream: Stream, coderId: string): Coder<unknown> {
    return this.parts.host.coder(this.componentOf(stream).stage, coderId);
  }

  /** A component at an end of the stream, for the coders of its environment. */
  private componentOf(stream: Stream): Component {
    return this.parts.topology.components.find(({ id }) => id === stream.from)!;
  }

  private linkListener(worker: number): LinkListener {
    const { onError } = this.parts;
    return {
      data: (channel, payload) => known(this.remotePorts.get(channel), worker, channel).data(payload),
      watermark: (channel, watermark) => known(this.remotePorts.get(channel), worker, channel).watermark(watermark),
      credit: (channel, bytes) => known(this.remoteChannels.get(channel), worker, channel).addCredits(bytes),
      drained: () => {
        for (const channel of this.remoteChannels.values()) channel.onRoom();
      },
      lost: onError,
    };
  }
}

/** Whether processing time is not the system's. */
export function hasVirtualTime({ components }: Topology, { virtualTime }: Pick<RuntimeOptions, "virtualTime">): boolean {
  return virtualTime === true || components.some(({ head }) => head.kind === "test-stream");
}

function inboxOf({ sideInput }: Stream, { inbox, sideInputs }: Ends): Inbox {
  return sideInput === undefined ? inbox : sideInputs.find(({ pcollection }) => pcollection === sideInput)!.inbox;
}

/** With few credits a batch is smaller too, so that it does not take all of them. */
function batchBytes({ batchBytes: wanted, channelBytes }: RuntimeOptions): number {
  return Math.max(1, Math.min(wanted, channelBytes >> 2));
}

/** No bytes, in the form that the stage's host takes (stage-host, H4). */
function impulseOf(host: StageHost, { head, stage }: Component): unknown {
  const coderId = stage.components.pcollections?.[head.output]?.coderId;
  return coderId ? host.coder(stage, coderId).decode(new ByteReader(Uint8Array.of(0)), true) : new Uint8Array(0);
}

/** Whether elements go to the stage as they come. */
function isRelay({ head }: Component): boolean {
  return head.kind !== "group-by-key" && head.kind !== "read";
}

function feedImpulse(inbox: Inbox, value: unknown): void {
  const port = inbox.addPort(() => {});
  const batch = new ElementBatch();
  batch.push(value, IMPULSE_META);
  inbox.receive(port, batch);
  inbox.receiveWatermark(port, MAX_TIMESTAMP);
}

function keyCoderOf(coder: Coder<unknown>, where: string): Coder<unknown> {
  if (coder.urn === "beam:coder:kv:v1" && coder.components.length === 2) return coder.components[0];
  throw new PipelineError("not_keyed", `"${where}" groups elements whose coder is ${coder.urn}; only key-value pairs can be grouped`);
}

function known<T>(end: T | undefined, worker: number, channel: number): T {
  if (end === undefined) throw new Error(`worker ${worker} spoke of channel ${channel}, which does not exist`);
  return end;
}
