/** Whether several places may have the same value: nobody can change it. */
export function isShareable(value: unknown): boolean {
  return value === null || (typeof value !== "object" && typeof value !== "function");
}
