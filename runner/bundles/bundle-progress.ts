// How far the bundles of a harness are, as it says when it is asked.
//
// P1. A bundle that lasts is asked about, at a rhythm and one question at a time: not before it has been under way for one beat.
// P2. What is told is of the whole bundle so far. An answer that tells nothing, or that comes when the bundle is over, is none.
// P3. A bundle moves when any of its metrics does, but for those that measure time: these go on where nothing else does.
import type { beam } from "../../portability/protos/index.js";
import { METRIC } from "../../portability/urns/index.js";

type Infos = readonly beam.pipeline.IMonitoringInfo[];

/** Who is asked, and who hears what it says. */
export interface ProgressSource {
  /** What the harness says of a bundle; nothing if it does not know. */
  progressOf(instructionId: string): Promise<Infos>;
  /** P2 */
  told(instructionId: string, infos: Infos): void;
  /** P3 */
  moved(): void;
}

/** Of a bundle under way. */
interface Watched {
  /** Whether it has been here for a beat. */
  isOld: boolean;
  isAsked: boolean;
  work: string;
}

export class BundleProgress {
  private readonly bundles = new Map<string, Watched>();

  constructor(private readonly source: ProgressSource) {}

  begin(instructionId: string): void {
    this.bundles.set(instructionId, { isOld: false, isAsked: false, work: "" });
  }

  end(instructionId: string): void {
    this.bundles.delete(instructionId);
  }

  /** Asks about each bundle under way, however young it is. */
  ask(): void {
    for (const [instructionId, bundle] of this.bundles) if (!bundle.isAsked) void this.askAbout(instructionId, bundle);
  }

  /** To be called at the rhythm (P1). */
  beat(): void {
    for (const [instructionId, bundle] of this.bundles) {
      if (bundle.isOld && !bundle.isAsked) void this.askAbout(instructionId, bundle);
      bundle.isOld = true;
    }
  }

  private async askAbout(instructionId: string, bundle: Watched): Promise<void> {
    bundle.isAsked = true;
    const infos = await this.source.progressOf(instructionId).catch((): Infos => []); // the bundle hears of a lost harness
    bundle.isAsked = false;
    if (infos.length === 0 || this.bundles.get(instructionId) !== bundle) return; // P2
    const work = workOf(infos);
    if (work !== bundle.work) this.source.moved();
    bundle.work = work;
    this.source.told(instructionId, infos);
  }
}

/** P3 */
function workOf(infos: Infos): string {
  return infos
    .filter(({ urn }) => !TIMES.has(urn ?? ""))
    .map(({ urn, labels, payload }) => `${urn} ${JSON.stringify(labels)} ${Buffer.from(payload ?? []).toString("base64")}`)
    .sort()
    .join("\n");
}

const TIMES: ReadonlySet<string> = new Set([
  METRIC.START_BUNDLE_MSECS,
  METRIC.PROCESS_BUNDLE_MSECS,
  METRIC.FINISH_BUNDLE_MSECS,
  METRIC.TOTAL_MSECS,
]);
