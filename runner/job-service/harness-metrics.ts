// What the harnesses of a job have counted as processes.
//
// H1. Of each harness it is what it has said last, all of it; of a harness that is gone, too.
// H2. So many harnesses are told apart, and so many metrics of each are kept; those before are one sum.
import { mergeMonitoringInfos } from "../../portability/metrics/index.js";
import type { beam } from "../../portability/protos/index.js";

type Infos = readonly beam.pipeline.IMonitoringInfo[];

/** H2 */
const HARNESSES = 32;
const METRICS = 1000;

export class HarnessMetrics {
  private readonly latest = new Map<string, Infos>();
  private before: Infos = [];

  told(workerId: string, infos: Infos): void {
    this.latest.delete(workerId);
    this.latest.set(workerId, infos.slice(0, METRICS));
    if (this.latest.size <= HARNESSES) return;
    const [[oldest, last]] = this.latest;
    this.latest.delete(oldest);
    this.before = mergeMonitoringInfos([...this.before, ...last]).slice(0, METRICS);
  }

  /** Of all harnesses together. */
  get all(): Infos {
    return mergeMonitoringInfos([...this.before, ...[...this.latest.values()].flat()]);
  }
}
