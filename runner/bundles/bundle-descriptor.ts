// A stage as its harness is told it: the stage's transforms between a source for its input and a sink for each output.
import { beam } from "../../portability/protos/index.js";
import { PipelineError, type StageDescriptor } from "../../portability/stage-host/index.js";
import { BUNDLE_PORT, CODER } from "../../portability/urns/index.js";

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
    coders[coderId] = { spec: { urn: CODER.WINDOWED_VALUE }, componentCoderIds: [port.coderId, port.windowCoderId] };
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
  const descriptor = { id, transforms, pcollections, coders, windowingStrategies, stateApiServiceDescriptor: endpoint };
  return { descriptor, input, outputs };
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
