import picomatch from "picomatch";

/** Whether a name matches a pattern; `*` stops at `/`, and names that begin with a dot are left out. */
export function matcherOf(pattern: string): (name: string) => boolean {
  return picomatch(pattern);
}

/** What every name that matches begins with. */
export function literalPrefix(pattern: string): string {
  return /^[^*?[{(!+@\\]*/.exec(pattern)?.[0] ?? "";
}
