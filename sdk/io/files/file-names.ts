import { randomBytes } from "node:crypto";
import { sep } from "node:path";

/** A hidden name beside the target that nobody else has. */
export function temporaryName(target: string): string {
  const cut = Math.max(target.lastIndexOf("/"), target.lastIndexOf(sep)) + 1;
  return `${target.slice(0, cut)}.${target.slice(cut)}.part-${randomBytes(8).toString("hex")}`;
}
