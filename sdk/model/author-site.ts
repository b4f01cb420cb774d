/**
 * The line of the author's program that is being executed, as `file:line:column`: the first stack frame outside this
 * package. Undefined when there is none.
 */
export function authorSite(): string | undefined {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 30;
  const stack = new Error().stack ?? "";
  Error.stackTraceLimit = limit;
  return firstAuthorFrame(stack);
}

/** The first frame of a stack that lies in a file of the author: not in this package, in another one, or in node. */
export function firstAuthorFrame(stack: string): string | undefined {
  for (const line of stack.split("\n")) {
    const match = /^\s+at (?:.*\()?((?:file:\/\/)?\/[^()]*:\d+:\d+)\)?$/.exec(line);
    if (match !== null && !ownFiles.test(match[1]) && !match[1].includes("/node_modules/")) return match[1];
  }
  return undefined;
}

// A frame of this package names the compiled file or, by its source map, the source beside dist/.
const ownFolder = /^(.*?\/)(?:dist\/)?sdk\/model\/[^/]*$/.exec(new URL(import.meta.url).pathname)?.[1] ?? "";
const ownFiles = new RegExp(
  `^(?:file://)?${ownFolder.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?:dist/|(?:sdk|portability|runner|local|cli)/)`,
);
