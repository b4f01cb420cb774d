// URNs of window functions. The facts that they are checked against are in test/conformance/facts.

/** `GlobalWindowsPayload.Enum`. */
export const GLOBAL_WINDOW_FN = {
  PROPERTIES: "beam:window_fn:global_windows:v1",
} as const;

/** `FixedWindowsPayload.Enum`. */
export const FIXED_WINDOW_FN = {
  PROPERTIES: "beam:window_fn:fixed_windows:v1",
} as const;

/** `SlidingWindowsPayload.Enum`. */
export const SLIDING_WINDOW_FN = {
  PROPERTIES: "beam:window_fn:sliding_windows:v1",
} as const;

/** `SessionWindowsPayload.Enum`. */
export const SESSION_WINDOW_FN = {
  PROPERTIES: "beam:window_fn:session_windows:v1",
} as const;
