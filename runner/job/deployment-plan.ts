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

export interface DeploymentPlan {
  readonly tasks: readonly TaskPlacement[];
  readonly channels: readonly ChannelPlan[];
}

/**
 * Decides which task runs where, and numbers the channels. Pure, and the same in every process that computes it.
 *
 * Task `i` of a bolt goes to worker `i mod workers`; spouts go round the workers, so that several of them are spread.
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
  const channels: ChannelPlan[] = [];
  for (const stream of topology.streams) {
    const to = byComponent.get(stream.to) ?? [];
    for (const from of byComponent.get(stream.from) ?? [])
      for (const target of receivers(stream, from, to)) channels.push({ id: channels.length + 1, stream, from, to: target });
  }
  return { tasks: [...byComponent.values()].flat(), channels };
}

function receivers(stream: Stream, from: TaskPlacement, to: readonly TaskPlacement[]): readonly TaskPlacement[] {
  if (stream.grouping !== "direct") return to;
  if (from.component.parallelism !== to.length)
    throw new Error(
      `stream ${stream.id} is direct, but ${stream.from} has ${from.component.parallelism} tasks and ${stream.to} has ${to.length}`,
    );
  return [to[from.index]];
}
