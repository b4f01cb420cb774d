import { WindowedValueCoder } from "../../portability/coders/index.js";
import type { StageHost } from "../../portability/stage-host/index.js";
import { PeerCodec, PeerTasks, ResidualCodec, Residuals, ResidualsSnapshot, type Clock, type Link, type Outbox } from "../runtime/index.js";
import type { Component, Head } from "../topology/index.js";
import type { DeploymentPlan, TaskPlacement } from "./deployment-plan.js";
import { windowCoderOf } from "./stage-coders.js";

/** The restrictions of a task that deals with the others of its component. */
export interface DealtResiduals {
  readonly residuals: Residuals;
  readonly snapshot: ResidualsSnapshot | undefined;
  readonly peers: PeerTasks | undefined;
}

export interface DealingParts {
  readonly plan: DeploymentPlan;
  readonly host: StageHost;
  /** Link to each other worker, by index. */
  readonly links: ReadonlyMap<number, Link>;
  readonly clock: Clock;
  /** The epoch that the run goes on from, 0 for one that begins; undefined where there are no checkpoints. */
  readonly epoch: number | undefined;
  /** Told of failures outside of any task. */
  readonly onError: (error: unknown) => void;
}

/** The restrictions of a worker's tasks, and the ways by which they are given from one task to another. */
export class ResidualDealing {
  private readonly dealt = new Map<string, DealtResiduals>();

  constructor(private readonly parts: DealingParts) {}

  /** Those of a task, if it has a head for them. */
  add({ id, component }: TaskPlacement, outbox: Outbox): DealtResiduals | undefined {
    const { plan, clock, epoch } = this.parts;
    if (component.head.kind !== "splittable") return undefined;
    const residuals = new Residuals(clock);
    const snapshot = epoch === undefined ? undefined : new ResidualsSnapshot(residuals, this.residualCoderOf(component, component.head));
    const count = plan.peers.filter(({ from }) => from.id === id).length;
    const peers = count === 0 ? undefined : new PeerTasks(count, epoch ?? 0, outbox, residuals, snapshot);
    const dealt = { residuals, snapshot, peers };
    this.dealt.set(id, dealt);
    return dealt;
  }

  /**
   * Each task's way to the others of its component, in the order in which it has them; to be called when all tasks have been added.
   *
   * @returns what takes what comes from tasks of other workers, by the number of its way on links
   */
  connect(): ReadonlyMap<number, (payload: Uint8Array) => void> {
    const { plan, links, onError } = this.parts;
    const fromOthers = new Map<number, (payload: Uint8Array) => void>();
    const indexAt = (task: TaskPlacement, other: TaskPlacement): number =>
      plan.peers.filter(({ from }) => from.id === task.id).findIndex(({ to }) => to.id === other.id);
    for (const { id, from, to } of plan.peers) {
      const sender = this.dealt.get(from.id)?.peers;
      const receiver = this.dealt.get(to.id)?.peers;
      const index = indexAt(to, from);
      if (sender !== undefined && receiver !== undefined) {
        sender.addWay((message) => receiver.receive(index, message));
        continue;
      }
      if (sender === undefined && receiver === undefined) continue;
      const { component } = from;
      const codec = new PeerCodec(
        new ResidualCodec(this.residualCoderOf(component, component.head as Extract<Head, { kind: "splittable" }>)),
      );
      if (receiver !== undefined) fromOthers.set(id, (payload) => receiver.receive(index, codec.decode(payload)));
      else
        sender!.addWay((message) => {
          try {
            codec.send(links.get(to.worker)!, id, message);
          } catch (cause) {
            onError(new Error(`a restriction cannot be given to ${to.id}: ${(cause as Error).message}`, { cause }));
          }
        });
    }
    return fromOthers;
  }

  private residualCoderOf({ stage }: Component, head: Extract<Head, { kind: "splittable" }>): WindowedValueCoder<unknown> {
    const { host } = this.parts;
    return new WindowedValueCoder(host.coder(stage, head.coderId), windowCoderOf(host, stage, head.windowingStrategyId));
  }
}
