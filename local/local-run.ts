import { map, type Observable } from "rxjs";
import { beam } from "../portability/protos/index.js";
import { PipelineError } from "../portability/stage-host/index.js";
import type { Job, JobMetrics, Topology } from "../runner/index.js";
import { UserMetrics, type Run, type RunMetrics, type TransformMetrics } from "../sdk/index.js";

/** A job of our runner as the SDK's {@link Run}: the figures of PCollections under the names that the author knows. */
export function localRun(job: Job, topology: Topology, assertions: readonly string[]): Run {
  const names = namesOfPCollections(topology);
  const translate = ({ elapsedMs, components, elements: byId, user, committed }: JobMetrics): RunMetrics => {
    const elements = new Map<string, number>();
    for (const [id, count] of byId) elements.set(names.get(id) ?? id, count);
    return { elapsedMs, components, elements, transforms: transformsOf(topology, byId), user: new UserMetrics(user, committed) };
  };
  return {
    get state() {
      return job.state;
    },
    get messages() {
      return job.messages;
    },
    get metrics() {
      return translate(job.metrics);
    },
    state$: job.state$,
    messages$: job.messages$,
    metrics$: job.metrics$.pipe(map(translate)) as Observable<RunMetrics>,
    result: async () => checked(translate(await job.result), assertions),
    cancel: () => job.cancel(),
    drain: () => job.drain(),
    isUnbounded: isUnbounded(topology),
  };
}

function isUnbounded({ components }: Topology): boolean {
  const { UNBOUNDED } = beam.pipeline.IsBounded.Enum;
  return components.some(({ stage }) =>
    Object.values(stage.components.pcollections ?? {}).some(({ isBounded }) => isBounded === UNBOUNDED),
  );
}

/** @throws PipelineError when an assertion of the pipeline never ran: then nothing was asserted. */
function checked(metrics: RunMetrics, assertions: readonly string[]): RunMetrics {
  const missed = assertions.filter((name) => (metrics.elements.get(name) ?? 0) === 0);
  if (missed.length > 0)
    throw new PipelineError(
      "assertion_not_reached",
      `the run ended, but ${missed.map((name) => `"${name}"`).join(", ")} never ran: nothing was asserted`,
    );
  return metrics;
}

/** In the order of stages, each transform once. What is read whole, as a side input, does not count as taken. */
function transformsOf({ components }: Topology, elements: ReadonlyMap<string, number>): TransformMetrics[] {
  const sum = (pcollections: readonly string[]): number => pcollections.reduce((total, id) => total + (elements.get(id) ?? 0), 0);
  return components.flatMap(({ id: component, stage }) =>
    stage.transformIds.map((id): TransformMetrics => {
      const { uniqueName, inputs, outputs } = stage.components.transforms?.[id] ?? {};
      const taken = Object.values(inputs ?? {}).filter((pcollection) => !stage.sideInputs.includes(pcollection));
      return { step: uniqueName ?? id, component, elementsIn: sum(taken), elementsOut: sum(Object.values(outputs ?? {})) };
    }),
  );
}

/** `transform` or `transform.tag` for each PCollection, by id. */
function namesOfPCollections({ components }: Topology): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { stage } of components)
    for (const id of stage.transformIds) {
      const transform = stage.components.transforms?.[id];
      for (const [tag, pcollection] of Object.entries(transform?.outputs ?? {}))
        names.set(
          pcollection,
          tag === "out" || Object.keys(transform?.outputs ?? {}).length === 1
            ? (transform?.uniqueName ?? id)
            : `${transform?.uniqueName ?? id}.${tag}`,
        );
    }
  return names;
}
