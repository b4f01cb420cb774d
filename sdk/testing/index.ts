// For authors' own tests: assertions that are part of a pipeline. They fail the run, with a diff, wherever it runs.
export { assertElements, assertEmpty, assertSatisfies, AssertionFailure } from "./assertions.js";
