import type { RuntimeOptions } from "./runtime-options.js";

/** How large the bundles of a task may be. */
export interface BundleLimits {
  /** Elements that the first one may have, … */
  readonly elements: number;
  /** … and any other, where {@link withinMs} says so. */
  readonly mostElements: number;
  /** Bytes of its input, and of its output. */
  readonly bytes: number;
  /** Milliseconds for which it is fed. */
  readonly ms: number;
  /** Milliseconds that it should take, from its beginning to its end, as far as the number of elements can see to that. */
  readonly withinMs: number | undefined;
}

/** Of a stage in the runner's own process. */
export function localBundles(
  { bundleElements, statefulBundleElements, bundleBytes, bundleMs }: RuntimeOptions,
  keyed: boolean,
): BundleLimits {
  const elements = keyed ? Math.min(bundleElements, statefulBundleElements) : bundleElements;
  return { elements, mostElements: elements, bytes: bundleBytes, ms: bundleMs, withinMs: undefined };
}

/** Of a stage in another process. @param isAwaited whether somebody may wait for what comes of it, or for a checkpoint */
export function remoteBundles(options: RuntimeOptions, isAwaited: boolean): BundleLimits {
  const { bundleElements, remoteBundleElements, remoteBundleBytes, remoteBundleMs, remoteBatchMs } = options;
  const ms = isAwaited ? remoteBundleMs : remoteBatchMs;
  // Where nobody waits the first one is as large as any may be: each has to fetch the state of its keys from here.
  const elements = isAwaited ? bundleElements : remoteBundleElements;
  return { elements, mostElements: remoteBundleElements, bytes: remoteBundleBytes, ms, withinMs: ms };
}
