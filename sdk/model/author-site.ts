/**
 * The line of the author's program that is being executed, as `file:line:column`: the first stack frame outside this
 * package. Undefined when there is none.
 */
export function authorSite(): string | undefined {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 30;
  const stack = new Error().stack ?? "";
  Error.stackTraceLimit = limit;
  for (const line of stack.split("\n").slice(1)) {
    const match = /\(?((?:file:\/\/)?\/[^()]*:\d+:\d+)\)?$/.exec(line);
    if (match !== null && !match[1].replace("file://", "").startsWith(packageRoot) && !match[1].includes("node:")) return match[1];
  }
  return undefined;
}

const packageRoot = new URL("..", import.meta.url).pathname;
