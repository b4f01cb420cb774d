import { ByteReader } from "../../portability/coders/index.js";
import type { beam } from "../../portability/protos/index.js";
import { METRIC, METRIC_LABEL } from "../../portability/urns/index.js";

/** Elements of each PCollection, as a harness has counted them in one bundle. */
export function elementCountsOf(infos: readonly beam.pipeline.IMonitoringInfo[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { urn, labels, payload } of infos) {
    const pcollection = labels?.[METRIC_LABEL.PCOLLECTION];
    if (urn !== METRIC.ELEMENT_COUNT || pcollection === undefined || !payload?.length) continue;
    counts.set(pcollection, Number(new ByteReader(payload).readVarintBig()));
  }
  return counts;
}
