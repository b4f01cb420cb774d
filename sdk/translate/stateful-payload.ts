import { timerCoder, type Coder } from "../../portability/coders/index.js";
import { beam } from "../../portability/protos/index.js";
import { USER_STATE } from "../../portability/urns/index.js";
import type { Window } from "../../portability/values/index.js";
import { EXPIRATION_FAMILY, type DoFn } from "../model/do-fn.js";
import type { StateSpec } from "../model/state-spec.js";

type StatefulParts = Pick<
  beam.pipeline.IParDoPayload,
  "stateSpecs" | "timerFamilySpecs" | "onWindowExpirationTimerFamilySpec" | "requiresTimeSortedInput"
>;

/** What the payload of a ParDo says of its state and timers; nothing for one without. */
export function statefulParts(doFn: DoFn, timers: TimerCoders, idOf: (coder: Coder<unknown>) => string): StatefulParts {
  if (doFn.kind !== "stateful") return {};
  const family = (timeDomain: beam.pipeline.TimeDomain.Enum): beam.pipeline.ITimerFamilySpec => ({
    timeDomain,
    timerFamilyCoderId: idOf(timerCoder(timers.key, timers.window) as Coder<unknown>),
  });
  const { EVENT_TIME, PROCESSING_TIME } = beam.pipeline.TimeDomain.Enum;
  const families = Object.entries(doFn.timers).map(
    ([id, { domain }]) => [id, family(domain === "event" ? EVENT_TIME : PROCESSING_TIME)] as const,
  );
  const tellsExpiration = doFn.spec.onWindowExpiration !== undefined;
  return {
    stateSpecs: Object.fromEntries(Object.entries(doFn.state).map(([id, spec]) => [id, stateSpec(spec, idOf)])),
    timerFamilySpecs: { ...Object.fromEntries(families), ...(tellsExpiration ? { [EXPIRATION_FAMILY]: family(EVENT_TIME) } : {}) },
    requiresTimeSortedInput: doFn.requiresTimeSortedInput === true,
    onWindowExpirationTimerFamilySpec: tellsExpiration ? EXPIRATION_FAMILY : "",
  };
}

/** Coders of the key and the windows of timers. */
export interface TimerCoders {
  readonly key: Coder<unknown>;
  readonly window: Coder<Window>;
}

function stateSpec({ kind, coders }: StateSpec<unknown>, idOf: (coder: Coder<unknown>) => string): beam.pipeline.IStateSpec {
  const [first, second] = coders.map(idOf);
  const bag = { urn: USER_STATE.BAG };
  const multimap = { urn: USER_STATE.MULTIMAP };
  switch (kind) {
    case "value":
      return { readModifyWriteSpec: { coderId: first }, protocol: bag };
    case "bag":
      return { bagSpec: { elementCoderId: first }, protocol: bag };
    case "combining":
      return { combiningSpec: { accumulatorCoderId: first }, protocol: bag };
    case "ordered-list":
      return { orderedListSpec: { elementCoderId: first }, protocol: { urn: USER_STATE.ORDERED_LIST } };
    case "set":
      return { setSpec: { elementCoderId: first }, protocol: multimap };
    case "map":
      return { mapSpec: { keyCoderId: first, valueCoderId: second }, protocol: multimap };
    case "multimap":
      return { multimapSpec: { keyCoderId: first, valueCoderId: second }, protocol: multimap };
  }
}
