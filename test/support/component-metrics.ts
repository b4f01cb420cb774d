import type { ComponentMetrics } from "../../sdk/index.js";

/** Figures of a component that has done nothing, but for what is given. */
export function componentMetrics(given: Partial<ComponentMetrics>): ComponentMetrics {
  return {
    id: "bolt",
    elementsIn: 0,
    elementsOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    ratePerSecond: 0,
    bundles: 0,
    retries: 0,
    bundlesLetGo: 0,
    busyMs: 0,
    queuedBytes: 0,
    backlogBytes: 0,
    backlogElements: 0,
    inputWatermark: 0,
    watermark: 0,
    watermarkLagMs: undefined,
    droppedLate: 0,
    droppedClosed: 0,
    ...given,
  };
}
