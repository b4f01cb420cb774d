// For authors' own tests: assertions that are part of a pipeline and fail the run, with a diff, wherever it runs; input by a script.
export { assertElements, assertEmpty, assertSatisfies, AssertionFailure, type PaneFilter } from "./assertions.js";
export { expectPanes, PaneExpectations } from "./expect-panes.js";
export type { PaneKind } from "./pane-kinds.js";
export { testStream, TestStream, testStreams, TestStreams } from "./test-stream.js";
