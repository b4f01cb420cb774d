// What a harness has counted of one stage of a task.
//
// R1. A bundle's metrics are of the whole bundle so far: what is told later takes the place of what was told before, and what is told at its
//     end that of all of it.
// R2. What is told before the end is attempted; it is committed with the end, or never.
import { ByteReader } from "../../portability/coders/index.js";
import { mergeMetrics, metricFromMonitoringInfo, type Metric } from "../../portability/metrics/index.js";
import type { beam } from "../../portability/protos/index.js";
import { METRIC, METRIC_LABEL } from "../../portability/urns/index.js";

type Infos = readonly beam.pipeline.IMonitoringInfo[];

interface Counted {
  /** Elements by PCollection. */
  readonly elements: ReadonlyMap<string, number>;
  readonly metrics: readonly Metric[];
}

const NOTHING: Counted = { elements: new Map(), metrics: [] };

export class ReportedMetrics {
  private finished = NOTHING;
  /** Of the bundle under way. */
  private underWay = NOTHING;

  /** @param hidden a PCollection that is none of the stage's */
  constructor(private readonly hidden: string | undefined) {}

  /** The bundle under way has come so far. @throws CoderError if that cannot be read */
  progress(infos: Infos): void {
    this.underWay = this.read(infos);
  }

  /** The bundle under way is finished. @throws CoderError likewise */
  finish(infos: Infos): void {
    this.finished = sumOf(this.finished, this.read(infos));
    this.underWay = NOTHING; // R1
  }

  get attempted(): Counted {
    return sumOf(this.finished, this.underWay);
  }

  /** R2 */
  get committed(): Counted {
    return this.finished;
  }

  private read(infos: Infos): Counted {
    const elements = elementCountsOf(infos);
    if (this.hidden !== undefined) elements.delete(this.hidden);
    return { elements, metrics: infos.map(metricFromMonitoringInfo).filter((metric) => metric !== undefined) };
  }
}

function sumOf(a: Counted, b: Counted): Counted {
  if (b === NOTHING) return a;
  const elements = new Map(a.elements);
  for (const [pcollection, count] of b.elements) elements.set(pcollection, (elements.get(pcollection) ?? 0) + count);
  return { elements, metrics: b.metrics.length === 0 ? a.metrics : mergeMetrics([...a.metrics, ...b.metrics]) };
}

/** Elements of each PCollection, as a harness has counted them in one bundle. */
function elementCountsOf(infos: Infos): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { urn, labels, payload } of infos) {
    const pcollection = labels?.[METRIC_LABEL.PCOLLECTION];
    if (urn !== METRIC.ELEMENT_COUNT || pcollection === undefined || !payload?.length) continue;
    counts.set(pcollection, Number(new ByteReader(payload).readVarintBig()));
  }
  return counts;
}
