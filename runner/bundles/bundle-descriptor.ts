// A stage as its harness is told it: the stage's transforms between a source for its input and a sink for each output.
import { beam } from "../../portability/protos/index.js";
import { PipelineError, type StageDescriptor } from "../../portability/stage-host/index.js";
import { BUNDLE_PORT, CODER, SPLITTABLE_PAR_DO_COMPONENT } from "../../portability/urns/index.js";

/** A PCollection that crosses between runner and harness. */
export interface BundlePort {
  readonly pcollection: string;
  /** Id of the source or sink that stands for it. */
  readonly transformId: string;
  readonly coderId: string;
  readonly windowCoderId: string;
}

export interface BundlePlan {
  readonly descriptor: beam.fn.IProcessBundleDescriptor;
  readonly input: BundlePort;
  readonly outputs: readonly BundlePort[];
  /** Where restrictions go that are to be truncated before they are processed. */
  readonly untruncated?: BundlePort;
}

/**
 * @param id of the descriptor, never used for another one
 * @param url where the harness finds the data and state services
 */
export function planBundles(stage: StageDescriptor, id: string, url: string): BundlePlan {
  const { components } = stage;
  const endpoint = { url };
  const transforms: Record<string, beam.pipeline.IPTransform> = {};
  const coders: Record<string, beam.pipeline.ICoder> = { ...components.coders };
  const used = new Set<string>([...stage.inputs, ...stage.outputs, ...stage.sideInputs]);
  for (const transformId of stage.transformIds) {
    const transform = components.transforms?.[transformId];
    if (transform === undefined) throw new Error(`stage ${stage.id} names transform ${transformId}, which the pipeline does not have`);
    transforms[transformId] = { ...transform, subtransforms: [] };
    for (const pcollection of [...Object.values(transform.inputs ?? {}), ...Object.values(transform.outputs ?? {})]) used.add(pcollection);
  }
  const addPort = (kind: "source" | "sink", pcollection: string): BundlePort => {
    const port = portOf(stage, kind, pcollection);
    const coderId = `${port.transformId}/coder`;
    const element = kind === "source" && readsLargeGroups(stage) ? withGroupsInState(port, coders) : port.coderId;
    coders[coderId] = { spec: { urn: CODER.WINDOWED_VALUE }, componentCoderIds: [element, port.windowCoderId] };
    const payload = beam.fn.RemoteGrpcPort.encode({ apiServiceDescriptor: endpoint, coderId }).finish();
    transforms[port.transformId] =
      kind === "source"
        ? { uniqueName: port.transformId, spec: { urn: BUNDLE_PORT.DATA_SOURCE, payload }, outputs: { out: pcollection } }
        : { uniqueName: port.transformId, spec: { urn: BUNDLE_PORT.DATA_SINK, payload }, inputs: { in: pcollection } };
    return port;
  };
  const [inputId] = stage.inputs;
  const input = addPort("source", inputId);
  // What a stage only hands on does not travel to the harness and back.
  const outputs = stage.outputs.filter((output) => output !== inputId).map((output) => addPort("sink", output));
  const pcollections = Object.fromEntries(Object.entries(components.pcollections ?? {}).filter(([each]) => used.has(each)));
  const { windowingStrategies } = components;
  const descriptor = {
    id,
    transforms,
    pcollections,
    coders,
    windowingStrategies,
    stateApiServiceDescriptor: endpoint,
    timerApiServiceDescriptor: endpoint,
  };
  return { descriptor, input, outputs };
}

/**
 * The same stage while the job is drained, with a second source in front of its splittable transform: what comes from there is truncated first.
 * Undefined for a stage that does not begin with one.
 */
export function planDrainedBundles(stage: StageDescriptor, id: string, url: string): BundlePlan | undefined {
  const [input] = stage.inputs;
  const { PROCESS_SIZED_ELEMENTS_AND_RESTRICTIONS, TRUNCATE_SIZED_RESTRICTION } = SPLITTABLE_PAR_DO_COMPONENT;
  const processId = stage.transformIds.find(
    (each) => stage.components.transforms?.[each]?.spec?.urn === PROCESS_SIZED_ELEMENTS_AND_RESTRICTIONS,
  );
  if (processId === undefined) return undefined;
  const process = stage.components.transforms![processId];
  const tag = Object.keys(process.inputs ?? {}).find((each) => process.inputs![each] === input);
  if (tag === undefined) return undefined;
  const plan = planBundles(stage, id, url);
  const pcollection = `${input}/untruncated`;
  const untruncated: BundlePort = { ...plan.input, pcollection, transformId: `${stage.id}/source/${pcollection}` };
  const { descriptor } = plan;
  const source = descriptor.transforms?.[plan.input.transformId];
  const transforms: Record<string, beam.pipeline.IPTransform> = {
    ...descriptor.transforms,
    [untruncated.transformId]: { ...source, uniqueName: untruncated.transformId, outputs: { out: pcollection } },
    [`${processId}/truncate`]: {
      ...process,
      spec: { urn: TRUNCATE_SIZED_RESTRICTION, payload: process.spec?.payload },
      inputs: { ...process.inputs, [tag]: pcollection },
      outputs: { out: input },
      subtransforms: [],
    },
  };
  const pcollections = { ...descriptor.pcollections, [pcollection]: { ...descriptor.pcollections?.[input], uniqueName: pcollection } };
  return { ...plan, descriptor: { ...descriptor, transforms, pcollections }, untruncated };
}

/** Whether the stage's harness can ask for what is left of a group. */
export function readsLargeGroups({ components, environmentId }: StageDescriptor): boolean {
  return components.environments?.[environmentId]?.capabilities?.includes(CODER.STATE_BACKED_ITERABLE) === true;
}

/** The coder of a port's elements; of groups, one by which their values need not travel whole. */
function withGroupsInState({ transformId, coderId }: BundlePort, coders: Record<string, beam.pipeline.ICoder>): string {
  const pair = coders[coderId];
  const [key, valuesId] = pair.componentCoderIds ?? [];
  const values = coders[valuesId];
  if (pair.spec?.urn !== CODER.KV || values?.spec?.urn !== CODER.ITERABLE) return coderId;
  const inState = `${transformId}/values`;
  coders[inState] = { ...values, spec: { urn: CODER.STATE_BACKED_ITERABLE } };
  const grouped = `${transformId}/group`;
  coders[grouped] = { ...pair, componentCoderIds: [key, inState] };
  return grouped;
}

/** Coder and window coder of a PCollection. */
export function codersOf({ id, components }: StageDescriptor, pcollection: string): { coderId: string; windowCoderId: string } {
  const { coderId, windowingStrategyId } = components.pcollections?.[pcollection] ?? {};
  const strategy = components.windowingStrategies?.[windowingStrategyId ?? ""];
  if (!coderId || !strategy?.windowCoderId)
    throw new PipelineError("coder_missing", `PCollection "${pcollection}" of stage ${id} has no coder, or its windows have none`);
  return { coderId, windowCoderId: strategy.windowCoderId };
}

function portOf(stage: StageDescriptor, kind: string, pcollection: string): BundlePort {
  return { pcollection, transformId: `${stage.id}/${kind}/${pcollection}`, ...codersOf(stage, pcollection) };
}
