import type { Coder } from "../../portability/coders/coder.js";
import { beam } from "../../portability/protos/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import type { CellSpec, FamilySpec, KeyedSpec } from "../keyed/index.js";
import { keySpaceOf, type KeySpace } from "../store/index.js";
import type { Head } from "../topology/index.js";

type KeyedHead = Extract<Head, { kind: "keyed" }>;

/**
 * What the stateful transform of a stage has declared, in the runner's own terms.
 *
 * @throws PipelineError naming the transform, for kinds of state and time domains that are not known
 */
export function readKeyedSpec(
  head: KeyedHead,
  components: beam.pipeline.IComponents,
  keys: KeySpace,
  coderOf: (coderId: string) => Coder<unknown>,
): KeyedSpec {
  const payload = beam.pipeline.ParDoPayload.decode(components.transforms?.[head.transformId]?.spec?.payload ?? new Uint8Array());
  const families = Object.entries(payload.timerFamilySpecs).map(([id, spec]) => readFamily(head, id, spec));
  const expirationFamily = payload.onWindowExpirationTimerFamilySpec;
  return {
    keys,
    cells: Object.entries(payload.stateSpecs).map(([id, spec]) => readCell(head, id, spec, coderOf)),
    families: families.filter(({ id }) => id !== expirationFamily),
    expirationFamily: expirationFamily === "" ? undefined : expirationFamily,
    allowedLatenessMs: Number(components.windowingStrategies?.[head.windowingStrategyId]?.allowedLateness ?? 0),
  };
}

function readCell(head: KeyedHead, id: string, spec: beam.pipeline.IStateSpec, coderOf: (coderId: string) => Coder<unknown>): CellSpec {
  if (spec.readModifyWriteSpec || spec.combiningSpec) return { id, kind: "value" };
  if (spec.bagSpec) return { id, kind: "bag" };
  if (spec.orderedListSpec) return { id, kind: "ordered-list" };
  const keyCoderId = spec.mapSpec?.keyCoderId ?? spec.multimapSpec?.keyCoderId ?? spec.setSpec?.elementCoderId;
  if (keyCoderId) return { id, kind: "multimap", mapKeys: keySpaceOf(coderOf(keyCoderId)) };
  throw new PipelineError("unknown_state", `transform "${head.transformName}" has state "${id}" of a kind that this runner does not know`);
}

function readFamily(head: KeyedHead, id: string, { timeDomain }: beam.pipeline.ITimerFamilySpec): FamilySpec {
  switch (timeDomain) {
    case beam.pipeline.TimeDomain.Enum.EVENT_TIME:
      return { id, domain: "event" };
    case beam.pipeline.TimeDomain.Enum.PROCESSING_TIME:
      return { id, domain: "processing" };
    default:
      throw new PipelineError(
        "unknown_timer",
        `transform "${head.transformName}" has timers "${id}" in a time domain that this runner does not know`,
      );
  }
}
