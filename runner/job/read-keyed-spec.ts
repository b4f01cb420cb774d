import { bytesCoder, type Coder } from "../../portability/coders/index.js";
import { beam } from "../../portability/protos/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import { USER_STATE } from "../../portability/urns/index.js";
import type { CellSpec, FamilySpec, KeyedSpec } from "../keyed/index.js";
import { keySpaceOf, type KeySpace } from "../store/index.js";
import type { KeyedTransform } from "../topology/index.js";

/**
 * What the stateful transform of a stage has declared, in the runner's own terms.
 *
 * @param byProtocol whether its functions ask for state by protocol (StageHost.keepsStateByProtocol)
 * @throws PipelineError naming the transform, for kinds of state and time domains that are not known
 */
export function readKeyedSpec(
  transform: KeyedTransform,
  components: beam.pipeline.IComponents,
  keys: KeySpace,
  coderOf: (coderId: string) => Coder<unknown>,
  byProtocol = false,
): KeyedSpec {
  const payload = payloadOf(transform, components);
  const families = Object.entries(payload.timerFamilySpecs).map(([id, spec]) => readFamily(transform, id, spec));
  const latenessMs = Number(components.windowingStrategies?.[transform.windowingStrategyId]?.allowedLateness ?? 0);
  const expirationFamily = payload.onWindowExpirationTimerFamilySpec;
  return {
    keys,
    cells: Object.entries(payload.stateSpecs).map(([id, spec]) =>
      byProtocol ? readCellByProtocol(transform, id, spec) : readCell(transform, id, spec, coderOf),
    ),
    families: families.filter(({ id }) => id !== expirationFamily),
    expirationFamily: expirationFamily === "" ? undefined : expirationFamily,
    // Where time is behind the watermark by the lateness, nothing is late any more that may come.
    ...(payload.requiresTimeSortedInput
      ? { isTimeSorted: true, lagMs: latenessMs, allowedLatenessMs: 0 }
      : { allowedLatenessMs: latenessMs }),
  };
}

/** The coders of each cell, in the order of the spec's: of its values, or of a map's keys and, where it has any, values. */
export function readCellCoders(
  transform: KeyedTransform,
  components: beam.pipeline.IComponents,
  coderOf: (coderId: string) => Coder<unknown>,
  codersOf: (stateId: string) => readonly Coder<unknown>[] | undefined,
): readonly (readonly Coder<unknown>[])[] {
  return Object.entries(payloadOf(transform, components).stateSpecs).map(([id, spec]) => codersOf(id) ?? coderIdsOf(spec).map(coderOf));
}

/** The same of cells by protocol: all that they hold is bytes. */
export function rawCellCoders({ cells }: KeyedSpec): readonly (readonly Coder<unknown>[])[] {
  const bytes = bytesCoder as Coder<unknown>;
  return cells.map(({ kind }) => (kind === "multimap" ? [bytes, bytes] : [bytes]));
}

function payloadOf({ transformId }: KeyedTransform, components: beam.pipeline.IComponents): beam.pipeline.ParDoPayload {
  return beam.pipeline.ParDoPayload.decode(components.transforms?.[transformId]?.spec?.payload ?? new Uint8Array());
}

function coderIdsOf(spec: beam.pipeline.IStateSpec): string[] {
  const { readModifyWriteSpec, combiningSpec, bagSpec, orderedListSpec, setSpec } = spec;
  const one =
    readModifyWriteSpec?.coderId ?? combiningSpec?.accumulatorCoderId ?? bagSpec?.elementCoderId ?? orderedListSpec?.elementCoderId;
  const map = spec.mapSpec ?? spec.multimapSpec;
  return [one ?? setSpec?.elementCoderId ?? map?.keyCoderId ?? "", ...(map == null ? [] : [map.valueCoderId ?? ""])];
}

function readCell(
  transform: KeyedTransform,
  id: string,
  spec: beam.pipeline.IStateSpec,
  coderOf: (coderId: string) => Coder<unknown>,
): CellSpec {
  if (spec.readModifyWriteSpec || spec.combiningSpec) return { id, kind: "value" };
  if (spec.bagSpec) return { id, kind: "bag" };
  if (spec.orderedListSpec) return { id, kind: "ordered-list" };
  const keyCoderId = spec.mapSpec?.keyCoderId ?? spec.multimapSpec?.keyCoderId ?? spec.setSpec?.elementCoderId;
  if (keyCoderId) return { id, kind: "multimap", mapKeys: keySpaceOf(coderOf(keyCoderId)) };
  throw new PipelineError(
    "unknown_state",
    `transform "${transform.transformName}" has state "${id}" of a kind that this runner does not know`,
  );
}

function readCellByProtocol(transform: KeyedTransform, id: string, { protocol, ...spec }: beam.pipeline.IStateSpec): CellSpec {
  const urn =
    protocol?.urn ||
    (spec.orderedListSpec ? USER_STATE.ORDERED_LIST : spec.mapSpec || spec.multimapSpec ? USER_STATE.MULTIMAP : USER_STATE.BAG);
  switch (urn) {
    case USER_STATE.BAG:
      return { id, kind: "bag" };
    case USER_STATE.MULTIMAP:
      return { id, kind: "multimap", mapKeys: keySpaceOf(bytesCoder as Coder<unknown>) };
    case USER_STATE.ORDERED_LIST:
      return { id, kind: "ordered-list" };
    default:
      throw new PipelineError(
        "unknown_state",
        `transform "${transform.transformName}" has state "${id}" of the protocol ${urn}, which is not known`,
      );
  }
}

function readFamily(transform: KeyedTransform, id: string, { timeDomain }: beam.pipeline.ITimerFamilySpec): FamilySpec {
  switch (timeDomain) {
    case beam.pipeline.TimeDomain.Enum.EVENT_TIME:
      return { id, domain: "event" };
    case beam.pipeline.TimeDomain.Enum.PROCESSING_TIME:
      return { id, domain: "processing" };
    default:
      throw new PipelineError(
        "unknown_timer",
        `transform "${transform.transformName}" has timers "${id}" in a time domain that this runner does not know`,
      );
  }
}
