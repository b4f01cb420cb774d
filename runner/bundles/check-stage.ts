import { CoderError } from "../../portability/coders/index.js";
import { PipelineError, type StageDescriptor } from "../../portability/stage-host/index.js";
import { codersOf } from "./bundle-descriptor.js";
import { namesOf } from "./harness-error.js";
import { rawCoder } from "./raw-coder.js";
import { windowCoder } from "./window-coder.js";
import { checkEnvironment } from "./worker-environment.js";

/** Finds out before anything runs whether stages can be executed by harnesses. @throws PipelineError */
export function checkStages(stages: readonly StageDescriptor[]): void {
  for (const stage of stages) {
    forTransforms(stage, () => checkEnvironment(stage.environmentId, stage.components.environments?.[stage.environmentId] ?? {}));
    if (stage.inputs.length > 1)
      throw new PipelineError(
        "unsupported_feature",
        `"${stage.inputs.join('" and "')}" come of one grouping: late elements have an output of their own in pipelines of TypeScript alone`,
      );
    for (const pcollection of [...stage.inputs, ...stage.outputs, ...stage.sideInputs])
      forTransforms(stage, () => checkCoders(stage, pcollection));
  }
}

/** Has an error name the transforms that it is about. */
function forTransforms(stage: StageDescriptor, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof PipelineError) || stage.transformIds.length === 0) throw error;
    throw new PipelineError(error.code, `"${namesOf(stage)}" cannot be run: ${error.message}`, { cause: error });
  }
}

function checkCoders(stage: StageDescriptor, pcollection: string): void {
  const { coderId, windowCoderId } = codersOf(stage, pcollection);
  const coders = stage.components.coders ?? {};
  try {
    rawCoder(coderId, coders);
    windowCoder(windowCoderId, coders);
  } catch (error) {
    if (!(error instanceof CoderError)) throw error;
    throw new PipelineError("coder_unsupported", `elements of "${pcollection}" or their windows cannot be read: ${error.message}`, {
      cause: error,
    });
  }
}
