import { coderOf, coderOfType, type Coder } from "../../portability/coders/index.js";
import type { RowSchema, Schema } from "../../portability/schemas/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import { anyValue } from "../transforms/element-coder.js";

/** How values of state are typed and encoded: by a schema or a coder; any plain value where nothing is said. */
export type ElementType<T> = Schema<T> | Coder<T>;

export function coderFor<T>(type: ElementType<T> | undefined): Coder<unknown> {
  if (type === undefined) return anyValue;
  if ("encode" in type) return type as Coder<unknown>;
  return (type.shape.kind === "row" ? coderOf(type as RowSchema<T>) : coderOfType(type)) as Coder<unknown>;
}

/** @throws PipelineError when equal values might not have equal bytes */
export function keyCoderFor<T>(what: string, type: ElementType<T> | undefined): Coder<unknown> {
  const coder = coderFor(type);
  if (!coder.deterministic)
    throw new PipelineError(
      "coder_not_deterministic",
      `${what} have the coder ${coder.urn}, which is not deterministic: equal ones could be kept apart; give them another type`,
    );
  return coder;
}
