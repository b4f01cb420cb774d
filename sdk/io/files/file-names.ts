import { randomBytes } from "node:crypto";
import { sep } from "node:path";

/**
 * A hidden name beside the target that nobody else has.
 *
 * @param mark says who made it, for {@link markOf}; letters, digits and dots
 */
export function temporaryName(target: string, mark?: string): string {
  const cut = Math.max(target.lastIndexOf("/"), target.lastIndexOf(sep)) + 1;
  return `${target.slice(0, cut)}.${target.slice(cut)}.part-${mark === undefined ? "" : `${mark}-`}${randomBytes(8).toString("hex")}`;
}

/** The mark in the name of a temporary file; undefined for any other name. */
export function markOf(path: string): string | undefined {
  return /(?:^|[/\\])\.[^/\\]*\.part-([\w.]+)-[0-9a-f]{16}$/.exec(path)?.[1];
}

/** The target of a temporary file. */
export function targetOfTemporary(path: string): string {
  const folder = folderOf(path);
  return folder + path.slice(folder.length + 1).replace(/\.part-[\w.]+-[0-9a-f]{16}$/, "");
}

/** The folder of a path with its last slash; "" for the working directory. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf(sep)) + 1);
}
