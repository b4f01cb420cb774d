import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { PipelineError, UserCodeError } from "../portability/stage-host/index.js";
import { firstAuthorFrame } from "../sdk/model/author-site.js";

/** Messages of user code are cut to this many characters. */
const MAX_MESSAGE = 8000;

/** An error as its user should read it: what, where, at which of their own lines. A stack only for what is our own fault. */
export function describeError(error: unknown): string {
  if (error instanceof UserCodeError) {
    const thrown = authorLine(error.cause);
    const applied = error.site.line === undefined ? undefined : shorten(error.site.line);
    return [
      headline(error.summary),
      ...row("element", error.site.element),
      ...row("key", error.site.key),
      ...row("window", error.site.window),
      ...row("thrown at", thrown),
      ...row("applied at", applied === thrown ? undefined : applied),
      ...row("attempts", error.site.attempts === undefined ? undefined : String(error.site.attempts)),
    ].join("\n");
  }
  if (error instanceof PipelineError) return [headline(error.message), ...row("applied at", authorLine(error))].join("\n");
  if (!(error instanceof Error)) return headline(String(error));
  const thrown = authorLine(error);
  const isExplained = thrown !== undefined || explained.has(error.name);
  return isExplained
    ? [headline(error.message), ...row("thrown at", thrown)].join("\n")
    : `${headline(error.message)}\n${error.stack ?? ""}`;
}

/** Errors of the runner whose message says all that there is to know. */
const explained: ReadonlySet<string> = new Set(["HungJobError", "WorkerLostError", "SpillError"]);

const headline = (message: string): string =>
  `error: ${message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}… (${message.length} characters)` : message}`;

const row = (label: string, value: string | undefined): string[] => (value === undefined ? [] : [`  ${`${label}:`.padEnd(11)} ${value}`]);

/** The first line of the author's own code in an error's stack. */
export function authorLine(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  const frame = firstAuthorFrame(cause.stack ?? "");
  return frame === undefined ? undefined : shorten(frame);
}

function shorten(location: string): string {
  const match = /^(.*):(\d+):(\d+)$/.exec(location);
  if (match === null) return location;
  const path = match[1].startsWith("file://") ? fileURLToPath(match[1]) : match[1];
  const short = relative(process.cwd(), path);
  return `${short.startsWith("..") ? path : short}:${match[2]}:${match[3]}`;
}
