import { beam } from "../../portability/protos/index.js";
import type { StageDescriptor } from "../../portability/stage-host/index.js";
import { PRIMITIVE } from "../../portability/urns/index.js";

/** The transform of a stage that has state or timers, as far as its harness is told of it. */
export class StatefulTransform {
  private constructor(
    readonly id: string,
    /** The PCollection whose elements have the keys. */
    readonly input: string,
    private readonly payload: beam.pipeline.ParDoPayload,
  ) {}

  /** Undefined if the stage has none. */
  static of(stage: StageDescriptor): StatefulTransform | undefined {
    for (const id of stage.transformIds) {
      const { spec, inputs } = stage.components.transforms?.[id] ?? {};
      if (spec?.urn !== PRIMITIVE.PAR_DO) continue;
      const payload = beam.pipeline.ParDoPayload.decode(spec.payload ?? new Uint8Array(0));
      if (Object.keys(payload.stateSpecs).length + Object.keys(payload.timerFamilySpecs).length > 0)
        return new StatefulTransform(id, mainInput(inputs ?? {}, payload), payload);
    }
    return undefined;
  }

  /** Ids of its timer families, each with the id of its timers' coder. */
  get families(): readonly (readonly [family: string, coderId: string])[] {
    return Object.entries(this.payload.timerFamilySpecs).map(([family, { timerFamilyCoderId }]) => [family, timerFamilyCoderId ?? ""]);
  }

  /** The family that the runner fires when a window expires. */
  get expirationFamily(): string {
    return this.payload.onWindowExpirationTimerFamilySpec;
  }

  /** Of what a map key of a cell has. */
  mapValueCoderId(stateId: string): string {
    const { mapSpec, multimapSpec } = this.payload.stateSpecs[stateId] ?? {};
    return mapSpec?.valueCoderId ?? multimapSpec?.valueCoderId ?? "";
  }
}

function mainInput(inputs: Readonly<Record<string, string>>, { sideInputs }: beam.pipeline.ParDoPayload): string {
  return Object.entries(inputs).find(([tag]) => !(tag in sideInputs))?.[1] ?? "";
}
