import { CoderError, CoderRegistry } from "../../portability/coders/index.js";
import { beam } from "../../portability/protos/index.js";
import { PipelineError, type StageDescriptor } from "../../portability/stage-host/index.js";
import { PRIMITIVE } from "../../portability/urns/index.js";
import { codersOf } from "./bundle-descriptor.js";
import { rawCoder } from "./raw-coder.js";
import { checkEnvironment } from "./worker-environment.js";

/** Finds out before anything runs whether stages can be executed by harnesses. @throws PipelineError */
export function checkStages(stages: readonly StageDescriptor[]): void {
  for (const stage of stages) {
    checkEnvironment(stage.environmentId, stage.components.environments?.[stage.environmentId] ?? {});
    for (const id of stage.transformIds) checkTransform(stage.components.transforms?.[id] ?? {});
    for (const pcollection of [...stage.inputs, ...stage.outputs, ...stage.sideInputs]) checkCoders(stage, pcollection);
  }
}

function checkTransform({ spec, uniqueName }: beam.pipeline.IPTransform): void {
  if (spec?.urn !== PRIMITIVE.PAR_DO) return;
  const { stateSpecs, timerFamilySpecs } = beam.pipeline.ParDoPayload.decode(spec.payload ?? new Uint8Array());
  const names = [...Object.keys(stateSpecs), ...Object.keys(timerFamilySpecs)].join(", ");
  if (names !== "")
    throw new PipelineError(
      "unsupported_feature",
      `transform "${uniqueName}" has state or timers (${names}), which this runner cannot give to harnesses of other SDKs yet`,
    );
}

function checkCoders(stage: StageDescriptor, pcollection: string): void {
  const { coderId, windowCoderId } = codersOf(stage, pcollection);
  const coders = stage.components.coders ?? {};
  try {
    rawCoder(coderId, coders);
    new CoderRegistry().fromProto(windowCoderId, coders);
  } catch (error) {
    if (!(error instanceof CoderError)) throw error;
    throw new PipelineError("coder_unsupported", `elements of "${pcollection}" or their windows cannot be read: ${error.message}`, {
      cause: error,
    });
  }
}
