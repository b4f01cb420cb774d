import type { Component, Stream, Topology } from "../topology/topology.js";

/** One task and the worker that runs it. */
export interface TaskPlacement {
  /** Unique and readable: the component and the task's index in it. */
  readonly id: string;
  readonly component: Component;
  readonly index: number;
  readonly worker: number;
}

/** A channel of a stream between two tasks. */
export interface ChannelPlan {
  /** Its number on links; the same in every worker. */
  readonly id: number;
  readonly stream: Stream;
  readonly from: TaskPlacement;
  readonly to: TaskPlacement;
}

/** The way from one task to another of its component. */
export interface PeerPlan {
  /** Its number on links, besides those of channels. */
  readonly id: number;
  readonly from: TaskPlacement;
  readonly to: TaskPlacement;
}

export interface DeploymentPlan {
  readonly tasks: readonly TaskPlacement[];
  readonly channels: readonly ChannelPlan[];
  /** Of components whose tasks deal restrictions out to each other. */
  readonly peers: readonly PeerPlan[];
}

/**
 * Decides which task runs where, and numbers the channels. Pure, and the same in every process that computes it.
 *
 * Task `i` of a bolt goes to worker `i mod workers`; spouts go round the workers, so that several of them are spread.
 *
 * A side input has one copy in each worker, for all tasks there that read it: of the streams that would bring it, those to one of them do.
 */
export function planDeployment(topology: Topology, workers: number): DeploymentPlan {
  let spouts = 0;
  const byComponent = new Map<string, TaskPlacement[]>();
  for (const component of topology.components) {
    const shift = component.kind === "spout" ? spouts++ : 0;
    const tasks = Array.from({ length: component.parallelism }, (_, index) => ({
      id: `${component.id} #${index}`,
      component,
      index,
      worker: (index + shift) % workers,
    }));
    byComponent.set(component.id, tasks);
  }
  const readers = sideInputReaders(topology, byComponent);
  const channels: ChannelPlan[] = [];
  for (const stream of topology.streams) {
    const to = byComponent.get(stream.to) ?? [];
    for (const from of byComponent.get(stream.from) ?? [])
      for (const target of stream.sideInput === undefined ? receivers(stream, from, to) : to.filter((task) => readers.has(stream, task)))
        channels.push({ id: channels.length + 1, stream, from, to: target });
  }
  const peers: PeerPlan[] = [];
  for (const component of topology.components) {
    if (!deals(component)) continue;
    const tasks = byComponent.get(component.id)!;
    for (const from of tasks) for (const to of tasks) if (from !== to) peers.push({ id: channels.length + peers.length + 1, from, to });
  }
  return { tasks: [...byComponent.values()].flat(), channels, peers };
}

/**
 * Whether tasks give restrictions to each other: not where a side input of the window may be gone at another worker, or elements wait for checkpoints where
 * they have come.
 */
function deals({ head, parallelism, sideInputs, requiresStableInput }: Component): boolean {
  return head.kind === "splittable" && parallelism > 1 && sideInputs.length === 0 && requiresStableInput !== true;
}

function receivers(stream: Stream, from: TaskPlacement, to: readonly TaskPlacement[]): readonly TaskPlacement[] {
  if (stream.grouping !== "direct") return to;
  if (from.component.parallelism !== to.length)
    throw new Error(
      `stream ${stream.id} is direct, but ${stream.from} has ${from.component.parallelism} tasks and ${stream.to} has ${to.length}`,
    );
  return [to[from.index]];
}

/** The task of each worker that a side input is sent to: the first one that reads it. */
function sideInputReaders(
  { components }: Topology,
  tasks: ReadonlyMap<string, readonly TaskPlacement[]>,
): { has(stream: Stream, task: TaskPlacement): boolean } {
  const first = new Map<string, TaskPlacement>();
  const keyOf = (sideInput: string, worker: number): string => `${worker} ${sideInput}`;
  for (const { id, sideInputs } of components)
    for (const { pcollection } of sideInputs)
      for (const task of tasks.get(id) ?? []) {
        const key = keyOf(pcollection, task.worker);
        if (!first.has(key)) first.set(key, task);
      }
  return { has: ({ sideInput = "" }, task) => first.get(keyOf(sideInput, task.worker)) === task };
}
