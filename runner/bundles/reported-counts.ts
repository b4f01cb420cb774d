import type { beam } from "../../portability/protos/index.js";
import { ByteReader } from "../../portability/coders/index.js";

const ELEMENT_COUNT = "beam:metric:element_count:v1";

/** Elements of each PCollection, as a harness has counted them in one bundle. */
export function elementCountsOf(infos: readonly beam.pipeline.IMonitoringInfo[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { urn, labels, payload } of infos) {
    const pcollection = labels?.PCOLLECTION;
    if (urn !== ELEMENT_COUNT || pcollection === undefined || !payload?.length) continue;
    counts.set(pcollection, Number(new ByteReader(payload).readVarintBig()));
  }
  return counts;
}
