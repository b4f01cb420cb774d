import { ValueCoder, type Coder } from "../../portability/coders/index.js";

/** The coder of elements that nothing else is known about: any plain JavaScript value. */
export const anyValue: Coder<unknown> = new ValueCoder();
