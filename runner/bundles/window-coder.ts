import { CoderRegistry, type Coder, type CoderProto } from "../../portability/coders/index.js";
import { CODER } from "../../portability/urns/index.js";
import type { Window } from "../../portability/values/index.js";

type Coders = Readonly<Record<string, CoderProto>>;

/** The coder of windows, which are read whole unless they are of a kind that only their SDK knows. @throws CoderError */
export function windowCoder(coderId: string, coders: Coders): Coder<Window> {
  return new CoderRegistry().fromProto(coderId, withBytesBehindLengths(coders)) as Coder<Window>;
}

/** The coders, but what has a length in front is bytes, whatever the bytes stand for: its encoding is the same. */
export function withBytesBehindLengths(coders: Coders): Coders {
  const prefixed = Object.entries(coders).filter(([, { spec }]) => spec?.urn === CODER.LENGTH_PREFIX);
  return { ...coders, ...Object.fromEntries(prefixed.map(([id]) => [id, { spec: { urn: CODER.BYTES } }])) };
}
