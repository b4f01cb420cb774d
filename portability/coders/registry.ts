import { beam } from "../protos/index.js";
import { customWindowCoder } from "./custom-window-coder.js";
import { ParamWindowedValueCoder } from "./param-windowed-value-coder.js";
import { rowCoder, schemaCoder } from "./schema-coders.js";
import { shardedKeyCoder } from "./sharded-key-coder.js";
import { stateBackedIterableCoder } from "./state-backed-iterable-coder.js";
import { timerCoder } from "./timer-coder.js";
import { boolCoder } from "./bool-coder.js";
import { bytesCoder } from "./bytes-coder.js";
import type { Coder } from "./coder.js";
import { CoderError } from "./coder-error.js";
import { doubleCoder } from "./double-coder.js";
import { iterableCoder } from "./iterable-coder.js";
import { kvCoder } from "./kv-coder.js";
import { lengthPrefixCoder } from "./length-prefix-coder.js";
import { nullableCoder } from "./nullable-coder.js";
import { utf8Coder } from "./utf8-coder.js";
import { ValueCoder } from "./value-coder.js";
import { varintCoder } from "./varint-coder.js";
import { globalWindowCoder, intervalWindowCoder } from "./window-coders.js";
import { WindowedValueCoder } from "./windowed-value-coder.js";

/** Builds a coder from its components and payload. */
export type CoderFactory = (components: readonly Coder<unknown>[], payload: Uint8Array) => Coder<unknown>;

/** A coder as Beam's `Components` hold it. */
export interface CoderProto {
  readonly spec?: { readonly urn?: string | null; readonly payload?: Uint8Array | null } | null;
  readonly componentCoderIds?: readonly string[] | null;
}

/** Finds coders by URN. */
export class CoderRegistry {
  private readonly factories = new Map<string, CoderFactory>(STANDARD);

  register(urn: string, factory: CoderFactory): void {
    this.factories.set(urn, factory);
  }

  /** @throws CoderError for an unknown id or URN, or a coder that contains itself. */
  fromProto(coderId: string, coders: Readonly<Record<string, CoderProto>>, depth = 0): Coder<unknown> {
    if (depth > 100) throw new CoderError(`coder "${coderId}" contains itself`);
    const proto = coders[coderId];
    if (proto === undefined) throw new CoderError(`there is no coder "${coderId}"`);
    const urn = proto.spec?.urn ?? "";
    const factory = this.factories.get(urn);
    if (factory === undefined) throw new CoderError(`coder "${coderId}" has URN ${urn === "" ? "(none)" : urn}, which is not known`);
    const arity = ARITY[urn];
    if (arity !== undefined && (proto.componentCoderIds ?? []).length !== arity)
      throw new CoderError(`coder "${coderId}" (${urn}) needs ${arity} component coders, not ${(proto.componentCoderIds ?? []).length}`);
    const components = (proto.componentCoderIds ?? []).map((id) => this.fromProto(id, coders, depth + 1));
    return factory(components, proto.spec?.payload ?? new Uint8Array());
  }
}

/** Component coders of the standard coders that have any. */
const ARITY: Readonly<Record<string, number>> = {
  "beam:coder:kv:v1": 2,
  "beam:coder:iterable:v1": 1,
  "beam:coder:nullable:v1": 1,
  "beam:coder:length_prefix:v1": 1,
  "beam:coder:windowed_value:v1": 2,
  "beam:coder:param_windowed_value:v1": 2,
  "beam:coder:timer:v1": 2,
  "beam:coder:sharded_key:v1": 1,
  "beam:coder:custom_window:v1": 1,
  "beam:coder:state_backed_iterable:v1": 1,
};

const erase = (coder: unknown): Coder<unknown> => coder as Coder<unknown>;

const STANDARD: [string, CoderFactory][] = [
  ["beam:coder:bytes:v1", () => erase(bytesCoder)],
  ["beam:coder:string_utf8:v1", () => erase(utf8Coder)],
  ["beam:coder:bool:v1", () => erase(boolCoder)],
  ["beam:coder:varint:v1", () => erase(varintCoder)],
  ["beam:coder:double:v1", () => erase(doubleCoder)],
  ["beam:coder:kv:v1", ([key, value]) => erase(kvCoder(key, value))],
  ["beam:coder:iterable:v1", ([element]) => erase(iterableCoder(element))],
  ["beam:coder:nullable:v1", ([value]) => erase(nullableCoder(value))],
  ["beam:coder:length_prefix:v1", ([value]) => erase(lengthPrefixCoder(value))],
  ["beam:coder:global_window:v1", () => erase(globalWindowCoder)],
  ["beam:coder:interval_window:v1", () => erase(intervalWindowCoder)],
  ["beam:coder:windowed_value:v1", ([element, window]) => erase(new WindowedValueCoder(element, erase(window) as never))],
  ["beam:coder:param_windowed_value:v1", ([element, window], payload) => erase(ParamWindowedValueCoder.fromPayload(element, erase(window) as never, payload))],
  ["beam:coder:timer:v1", ([key, window]) => erase(timerCoder(key, erase(window) as never))],
  ["beam:coder:sharded_key:v1", ([key]) => erase(shardedKeyCoder(key))],
  ["beam:coder:custom_window:v1", ([window]) => erase(customWindowCoder(erase(window) as never))],
  ["beam:coder:state_backed_iterable:v1", ([element]) => erase(stateBackedIterableCoder(element))],
  ["beam:coder:row:v1", (_, payload) => erase(rowCoder(beam.pipeline.Schema.decode(payload)))],
  ["beam:coder:schema:v1", (_, payload) => erase(schemaCoder(payload))],
  ["beamstorm:coder:value:v1", () => erase(new ValueCoder())],
];
