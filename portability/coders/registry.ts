// Coders by URN: what turns the coders of a pipeline into ones that encode.
import { BEAMSTORM, CODER } from "../urns/index.js";
import type { Window } from "../values/index.js";
import { boolCoder } from "./bool-coder.js";
import { bytesCoder } from "./bytes-coder.js";
import type { Coder } from "./coder.js";
import { CoderError } from "./coder-error.js";
import { customWindowCoder, opaqueWindowCoder } from "./custom-window-coder.js";
import { doubleCoder } from "./double-coder.js";
import { globalWindowCoder } from "./global-window-coder.js";
import { intervalWindowCoder } from "./interval-window-coder.js";
import { iterableCoder } from "./iterable-coder.js";
import { kvCoder } from "./kv-coder.js";
import { lengthPrefixCoder } from "./length-prefix-coder.js";
import { nullableCoder } from "./nullable-coder.js";
import { ParamWindowedValueCoder } from "./param-windowed-value-coder.js";
import { rowCoderFromPayload, schemaCoderFromPayload } from "./schema-coders.js";
import { shardedKeyCoder } from "./sharded-key-coder.js";
import { stateBackedIterableCoder, type StateBackedRest } from "./state-backed-iterable-coder.js";
import { timerCoder } from "./timer-coder.js";
import { unionCoder } from "./union-coder.js";
import { utf8Coder } from "./utf8-coder.js";
import { ValueCoder } from "./value-coder.js";
import { varintBigIntCoder, varintCoder } from "./varint-coder.js";
import { WindowedValueCoder } from "./windowed-value-coder.js";

/** Builds a coder from its components and payload. */
export type CoderFactory = (components: readonly Coder<unknown>[], payload: Uint8Array) => Coder<unknown>;

/** A coder as Beam's `Components` hold it. */
export interface CoderProto {
  readonly spec?: { readonly urn?: string | null; readonly payload?: Uint8Array | null } | null;
  readonly componentCoderIds?: readonly string[] | null;
}

/** How a registry builds coders. */
export interface CoderRegistryOptions {
  /** Varints as bigint instead of number: for all of int64. */
  readonly bigIntVarints?: boolean;
  /** Continues iterables whose rest is in state. */
  readonly stateBackedRest?: StateBackedRest;
}

interface Registration {
  readonly components: number;
  readonly factory: CoderFactory;
}

const ANY_NUMBER = -1;

/**
 * Finds coders by URN: Beam's standard ones, the one of plain values, and what is registered.
 *
 * @example
 * ```ts
 * const coder = new CoderRegistry().fromProto("words", { words: { spec: { urn: urns.CODER.STRING_UTF8 } } });
 * ```
 */
export class CoderRegistry {
  private readonly registrations: Map<string, Registration>;

  constructor(options: CoderRegistryOptions = {}) {
    this.registrations = new Map(standardCoders(options));
  }

  /** Adds a coder, or replaces one. */
  register(urn: string, factory: CoderFactory): void {
    this.registrations.set(urn, { components: ANY_NUMBER, factory });
  }

  /** Whether coders of this URN can be built. */
  knows(urn: string): boolean {
    return this.registrations.has(urn);
  }

  /** @throws CoderError for an unknown id or URN, a wrong number of components, or a coder that contains itself */
  fromProto(coderId: string, coders: Readonly<Record<string, CoderProto>>): Coder<unknown> {
    return this.build(coderId, coders, new Map());
  }

  private build(id: string, coders: Readonly<Record<string, CoderProto>>, built: Map<string, Coder<unknown> | undefined>): Coder<unknown> {
    const known = built.get(id);
    if (known !== undefined) return known;
    if (built.has(id)) throw new CoderError(`coder "${id}" contains itself`);
    built.set(id, undefined);
    const proto = Object.hasOwn(coders, id) ? coders[id] : undefined;
    if (proto === undefined) throw new CoderError(`there is no coder "${id}"`);
    const urn = proto.spec?.urn ?? "";
    const registration = this.registrations.get(urn);
    if (registration === undefined) throw new CoderError(`coder "${id}" has the URN ${urn === "" ? "(none)" : urn}, which is not known`);
    const components = (proto.componentCoderIds ?? []).map((component) => this.build(component, coders, built));
    if (registration.components !== ANY_NUMBER && components.length !== registration.components)
      throw new CoderError(`coder "${id}" (${urn}) has ${components.length} components instead of ${registration.components}`);
    const coder = registration.factory(components, proto.spec?.payload ?? new Uint8Array());
    built.set(id, coder);
    return coder;
  }
}

const erase = (coder: unknown): Coder<unknown> => coder as Coder<unknown>;
const ofWindow = (coder: Coder<unknown>): Coder<Window> => coder as Coder<Window>;

function standardCoders({ bigIntVarints, stateBackedRest }: CoderRegistryOptions): [string, Registration][] {
  const entry = (urn: string, components: number, factory: CoderFactory): [string, Registration] => [urn, { components, factory }];
  return [
    entry(CODER.BYTES, 0, () => erase(bytesCoder)),
    entry(CODER.STRING_UTF8, 0, () => erase(utf8Coder)),
    entry(CODER.BOOL, 0, () => erase(boolCoder)),
    entry(CODER.VARINT, 0, () => erase(bigIntVarints === true ? varintBigIntCoder : varintCoder)),
    entry(CODER.DOUBLE, 0, () => erase(doubleCoder)),
    entry(CODER.KV, 2, ([key, value]) => erase(kvCoder(key, value))),
    entry(CODER.ITERABLE, 1, ([element]) => erase(iterableCoder(element))),
    entry(CODER.STATE_BACKED_ITERABLE, 1, ([element]) => erase(stateBackedIterableCoder(element, stateBackedRest))),
    entry(CODER.NULLABLE, 1, ([value]) => erase(nullableCoder(value))),
    entry(CODER.LENGTH_PREFIX, 1, ([value]) => erase(lengthPrefixCoder(value))),
    entry(CODER.GLOBAL_WINDOW, 0, () => erase(globalWindowCoder)),
    entry(CODER.INTERVAL_WINDOW, 0, () => erase(intervalWindowCoder)),
    // A window behind a length is one that the sender knows to be unknown here.
    entry(CODER.CUSTOM_WINDOW, 1, ([window]) =>
      erase(
        window.urn === CODER.LENGTH_PREFIX || window.urn === CODER.BYTES ? opaqueWindowCoder(window) : customWindowCoder(ofWindow(window)),
      ),
    ),
    entry(CODER.WINDOWED_VALUE, 2, ([element, window]) => erase(new WindowedValueCoder(element, ofWindow(window)))),
    entry(CODER.PARAM_WINDOWED_VALUE, 2, ([element, window], payload) =>
      erase(ParamWindowedValueCoder.fromPayload(element, ofWindow(window), payload)),
    ),
    entry(CODER.TIMER, 2, ([key, window]) => erase(timerCoder(key, ofWindow(window)))),
    entry(CODER.SHARDED_KEY, 1, ([key]) => erase(shardedKeyCoder(key))),
    entry(CODER.ROW, 0, (_, payload) => erase(rowCoderFromPayload(payload))),
    entry(CODER.SCHEMA, 0, (_, payload) => erase(schemaCoderFromPayload(payload))),
    entry(BEAMSTORM.VALUE_CODER, 0, () => new ValueCoder()),
    entry(BEAMSTORM.UNION_CODER, ANY_NUMBER, (kinds) => erase(unionCoder(kinds))),
  ];
}
