import { kvCoder, type Coder } from "../../portability/coders/index.js";
import { anyValue } from "./element-coder.js";
import type { PCollection } from "../model/pcollection.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import { CODER } from "../../portability/urns/index.js";
import type { KV } from "../../portability/values/index.js";

/** Component `index` of a KV coder; any value where nothing is known about the elements. */
export function componentCoder(coder: Coder<unknown>, index: 0 | 1): Coder<unknown> {
  return coder.urn === CODER.KV ? coder.components[index] : anyValue;
}

/**
 * Key and value coder of a keyed input.
 *
 * @param reader who needs them, for errors; default: the transform that is being applied
 * @throws PipelineError when equal keys might not have equal bytes.
 */
export function keyedCoders(
  input: PCollection<KV<unknown, unknown>>,
  reader = `transform "${input.graph.currentName}"`,
): { keyCoder: Coder<unknown>; valueCoder: Coder<unknown> } {
  if (input.coder === anyValue) input.refineCoder(kvCoder(anyValue, anyValue) as Coder<unknown>);
  if (input.coder.urn !== CODER.KV)
    throw new PipelineError(
      "not_keyed",
      `${reader} needs keys and values, but its input has the coder ${input.coder.urn}; ` +
        `apply withKeys() before it, or give the input a kvCoder() with withCoder()`,
    );
  const keyCoder = componentCoder(input.coder, 0);
  if (!keyCoder.deterministic)
    throw new PipelineError(
      "coder_not_deterministic",
      `${reader} groups by a key whose coder ${keyCoder.urn} is not deterministic: equal keys could be kept ` +
        `apart. Key by another value, or give the input another key coder with withCoder()`,
    );
  return { keyCoder, valueCoder: componentCoder(input.coder, 1) };
}
