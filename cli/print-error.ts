import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { PipelineError, UserCodeError } from "../portability/stage-host/index.js";

/** An error as its user should read it: what, where, at which of their own lines. A stack only for what is our own fault. */
export function describeError(error: unknown): string {
  if (error instanceof UserCodeError) {
    const lines = [`error: ${error.message}`];
    if (error.site.element !== undefined) lines.push(`  element:    ${error.site.element}`);
    const thrown = authorLine(error.cause);
    if (thrown !== undefined) lines.push(`  thrown at:  ${thrown}`);
    if (error.site.line !== undefined) lines.push(`  applied at: ${shorten(error.site.line)}`);
    return lines.join("\n");
  }
  if (error instanceof PipelineError) return `error: ${error.message}`;
  if (error instanceof Error) return `error: ${error.message}\n${error.stack ?? ""}`;
  return `error: ${String(error)}`;
}

/** The first line of the author's own code in an error's stack. */
function authorLine(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  for (const frame of (cause.stack ?? "").split("\n").slice(1)) {
    const match = /\(?((?:file:\/\/)?\/[^()]*:\d+:\d+)\)?$/.exec(frame);
    if (match === null || match[1].includes("/node_modules/") || ownFiles.test(match[1])) continue;
    return shorten(match[1]);
  }
  return undefined;
}

const ownRoot = fileURLToPath(new URL("..", import.meta.url));
const ownFiles = new RegExp(`${ownRoot.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(sdk|runner|portability|local|cli)/`);

function shorten(location: string): string {
  const match = /^(.*):(\d+):(\d+)$/.exec(location);
  if (match === null) return location;
  const path = match[1].startsWith("file://") ? fileURLToPath(match[1]) : match[1];
  const short = relative(process.cwd(), path);
  return `${short.startsWith("..") ? path : short}:${match[2]}:${match[3]}`;
}
