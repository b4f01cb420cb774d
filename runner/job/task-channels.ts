import type { Coder } from "../../portability/coders/coder.js";
import type { StageDescriptor, StageHost } from "../../portability/stage-host/index.js";
import {
  allStream,
  BatchCodec,
  ElementSizer,
  fieldsStream,
  LocalChannel,
  MAX_FRAME_BYTES,
  RemoteChannel,
  RemotePort,
  shuffleStream,
  singleStream,
  type Inbox,
  type Link,
  type LinkListener,
  type Outbox,
  type OutputChannel,
  type OutputStream,
  type RuntimeOptions,
  type SideInputBuffer,
} from "../runtime/index.js";
import { KeyGroups, keySpaceOf } from "../store/index.js";
import type { Stream, Topology } from "../topology/index.js";
import type { ChannelPlan, DeploymentPlan, TaskPlacement } from "./deployment-plan.js";
import { keyCoderOf, windowCoderOf } from "./stage-coders.js";

/** Where the streams of a task begin and end. */
export interface Ends {
  readonly inbox: Inbox;
  readonly sideInputs: readonly SideInputBuffer[];
  readonly outbox: Outbox;
}

export interface ChannelParts {
  readonly topology: Topology;
  readonly plan: DeploymentPlan;
  readonly worker: number;
  readonly host: StageHost;
  /** Link to each other worker, by index. */
  readonly links: ReadonlyMap<number, Link>;
  readonly options: Pick<RuntimeOptions, "batchBytes" | "channelBytes">;
  /** Told of failures outside of any task. */
  readonly onError: (error: unknown) => void;
}

/** The streams of a worker's tasks, by channels to each other and by links to and from tasks of other workers. */
export class TaskChannels {
  private readonly remotePorts = new Map<number, RemotePort>();
  private readonly remoteChannels = new Map<number, RemoteChannel>();

  /** @param ends of each task of this worker, by its id */
  constructor(
    private readonly parts: ChannelParts,
    private readonly ends: ReadonlyMap<string, Ends>,
  ) {
    const { plan, topology, worker } = parts;
    for (const channel of plan.channels) this.addRemotePort(channel);
    for (const stream of topology.streams)
      for (const task of plan.tasks) if (task.worker === worker && task.component.id === stream.from) this.addStream(stream, task);
  }

  /**
   * Takes what comes by the links from now on.
   *
   * @param fromPeers what takes data that is of no stream, by its number
   */
  listen(fromPeers: ReadonlyMap<number, (payload: Uint8Array) => void>): void {
    for (const [worker, link] of this.parts.links) link.listen(this.linkListener(worker, fromPeers));
  }

  private addRemotePort({ id, stream, from, to }: ChannelPlan): void {
    const { worker, links, options } = this.parts;
    if (to.worker !== worker || from.worker === worker) return;
    const port = new RemotePort(
      id,
      links.get(from.worker)!,
      inboxOf(stream, this.ends.get(to.id)!),
      this.codecOf(stream),
      options.channelBytes,
      from.id,
    );
    this.remotePorts.set(id, port);
  }

  private addStream(stream: Stream, { id }: TaskPlacement): void {
    const { options, plan } = this.parts;
    const owner = this.ends.get(id)!.outbox;
    const channels = plan.channels
      .filter((channel) => channel.stream === stream && channel.from.id === id)
      .map((channel) => this.channelOf(channel));
    const coder = (): Coder<unknown> => this.coderOf(stream);
    if (channels.length === 0) return; // a side input that other streams bring to each worker
    const parts = { channels, sizer: new ElementSizer(coder), batchBytes: batchBytes(options), owner };
    owner.addStream(stream.pcollection, this.outputStream(stream, parts));
  }

  private outputStream(stream: Stream, parts: Parameters<typeof singleStream>[0]): OutputStream {
    if (parts.channels.length === 1) return singleStream(parts);
    if (stream.grouping === "all") return allStream(parts);
    if (stream.grouping !== "fields") return shuffleStream(parts);
    const key = keyCoderOf(this.coderOf(stream), stream.pcollection);
    return fieldsStream(parts, new KeyGroups(this.parts.topology.keyGroups, keySpaceOf(key)));
  }

  private channelOf({ id, stream, from, to }: ChannelPlan): OutputChannel {
    const { worker, links, options, onError } = this.parts;
    if (to.worker === worker)
      return new LocalChannel(inboxOf(stream, this.ends.get(to.id)!), options.channelBytes, { from: from.id, to: to.id });
    const failed = (error: unknown): void =>
      onError(
        new Error(`elements of ${stream.pcollection} cannot be sent to ${to.id}: ${String((error as Error).message)}`, { cause: error }),
      );
    const channel = new RemoteChannel(id, links.get(to.worker)!, this.codecOf(stream), options.channelBytes, failed, to.id);
    this.remoteChannels.set(id, channel);
    return channel;
  }

  private codecOf(stream: Stream): BatchCodec {
    const window = windowCoderOf(this.parts.host, this.stageOf(stream), stream.windowingStrategyId);
    return new BatchCodec(this.coderOf(stream), window, MAX_FRAME_BYTES);
  }

  private coderOf(stream: Stream): Coder<unknown> {
    return this.parts.host.coder(this.stageOf(stream), stream.coderId);
  }

  /** A stage at an end of the stream, for the coders of its environment. */
  private stageOf({ from }: Stream): StageDescriptor {
    return this.parts.topology.components.find(({ id }) => id === from)!.stage;
  }

  private linkListener(worker: number, fromPeers: ReadonlyMap<number, (payload: Uint8Array) => void>): LinkListener {
    return {
      data: (channel, payload) => {
        const fromPeer = fromPeers.get(channel);
        if (fromPeer !== undefined) fromPeer(payload);
        else known(this.remotePorts.get(channel), worker, channel).data(payload);
      },
      watermark: (channel, watermark) => known(this.remotePorts.get(channel), worker, channel).watermark(watermark),
      barrier: (channel, barrier) => known(this.remotePorts.get(channel), worker, channel).barrier(barrier),
      credit: (channel, bytes) => known(this.remoteChannels.get(channel), worker, channel).addCredits(bytes),
      drained: () => {
        for (const channel of this.remoteChannels.values()) channel.onRoom();
      },
      lost: this.parts.onError,
    };
  }
}

function inboxOf({ sideInput }: Stream, { inbox, sideInputs }: Ends): Inbox {
  return sideInput === undefined ? inbox : sideInputs.find(({ pcollection }) => pcollection === sideInput)!.inbox;
}

/** With few credits a batch is smaller too, so that it does not take all of them. */
function batchBytes({ batchBytes: wanted, channelBytes }: ChannelParts["options"]): number {
  return Math.max(1, Math.min(wanted, channelBytes >> 2));
}

function known<T>(end: T | undefined, worker: number, channel: number): T {
  if (end === undefined) throw new Error(`worker ${worker} spoke of channel ${channel}, which does not exist`);
  return end;
}
