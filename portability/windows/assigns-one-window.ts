/** Window functions that give every timestamp exactly one window. */
const ONE_WINDOW: ReadonlySet<string> = new Set([
  "beam:window_fn:global_windows:v1",
  "beam:window_fn:fixed_windows:v1",
  "beam:window_fn:session_windows:v1",
  "beamstorm:windowfn:calendar:v1",
]);

/** Whether an element is in one window only, by the URN of its window function; false where that is not known. @internal */
export function assignsOneWindow(urn: string): boolean {
  return ONE_WINDOW.has(urn);
}
