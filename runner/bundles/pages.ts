// Content that is asked for by the page. A page ends between two parts of the content; its token is the number of the next one.
import type { beam } from "../../portability/protos/index.js";
import { ServiceError } from "../../portability/services/index.js";

/** A page is closed once it has this many bytes. */
export const PAGE_BYTES = 1 << 20;

/** The next page of the parts, each of them bytes as they are to be read. */
export function pageOf(parts: readonly Uint8Array[], token: Uint8Array | null | undefined, pageBytes: number): beam.fn.IStateResponse {
  const start = startOf(token ?? NO_BYTES);
  let end = start;
  let bytes = 0;
  while (end < parts.length && (bytes < pageBytes || end === start)) bytes += parts[end++].length;
  const data = end === start + 1 ? parts[start] : Buffer.concat(parts.slice(start, end), bytes);
  return { get: { data, continuationToken: end < parts.length ? tokenOf(end) : NO_BYTES } };
}

/** Where the page of a token starts. @throws ServiceError INVALID_ARGUMENT for what is none, or is beyond `most` */
export function startOf(token: Uint8Array, most = Infinity): number {
  if (token.length === 0) return 0;
  const text = Buffer.from(token).toString("latin1");
  if (/^\d{1,15}$/.test(text) && Number(text) <= most) return Number(text);
  throw new ServiceError("INVALID_ARGUMENT", "the continuation token is not one of this runner's");
}

export function tokenOf(start: number): Uint8Array {
  return Buffer.from(String(start));
}

const NO_BYTES = new Uint8Array(0);
