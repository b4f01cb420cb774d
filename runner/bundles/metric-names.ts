// What the metrics of a harness are. It says once what a short id stands for, and sends the id with each value from then on.
//
// N1. An id is asked about once, however many bundles meet it at a time: it stands for the same as long as the harness lives.
// N2. Names are kept up to a number of bytes; one that does not fit is asked about whenever it comes.
// N3. An id that the harness itself does not know is no metric.
import { beam } from "../../portability/protos/index.js";

/** N2 */
const NAME_BYTES = 4 << 20;

/** What a harness says of a bundle, or of itself. */
export interface ReportedValues {
  /** By short id. */
  readonly monitoringData?: Readonly<Record<string, Uint8Array>> | null;
  /** The same in full, of harnesses that know no short ids, and of those that send both. */
  readonly monitoringInfos?: readonly beam.pipeline.IMonitoringInfo[] | null;
}

/** A metric without its value. */
type Name = beam.pipeline.IMonitoringInfo;

/** Asks the harness. */
export type AskForNames = (ids: readonly string[]) => Promise<Readonly<Record<string, Name>>>;

export class MetricNames {
  private readonly known = new Map<string, Name | undefined>();
  private bytes = 0;
  private readonly asked = new Map<string, Promise<ReadonlyMap<string, Name | undefined>>>();

  constructor(
    private readonly ask: AskForNames,
    private readonly limit = NAME_BYTES,
  ) {}

  /** The metrics in full. @throws what the question for names fails with */
  async infosOf({ monitoringData, monitoringInfos }: ReportedValues): Promise<readonly beam.pipeline.IMonitoringInfo[]> {
    const data = Object.entries(monitoringData ?? {});
    if (data.length === 0) return monitoringInfos ?? [];
    const nameOf = await this.namesOf(data.map(([id]) => id));
    return data.flatMap(([id, payload]) => {
      const name = nameOf(id);
      return name === undefined ? [] : [{ ...name, payload }]; // N3
    });
  }

  private async namesOf(ids: readonly string[]): Promise<(id: string) => Name | undefined> {
    const { known, asked } = this;
    const missing = ids.filter((id) => !known.has(id));
    if (missing.length === 0) return (id) => known.get(id);
    const unasked = missing.filter((id) => !asked.has(id));
    if (unasked.length > 0) {
      const answer = this.learn(unasked);
      for (const id of unasked) asked.set(id, answer); // N1
    }
    const answers = await Promise.all(new Set(missing.map((id) => asked.get(id)!)));
    return (id) => known.get(id) ?? answers.find((answer) => answer.has(id))?.get(id);
  }

  private async learn(ids: readonly string[]): Promise<ReadonlyMap<string, Name | undefined>> {
    try {
      const answer = await this.ask(ids);
      const names = new Map(ids.map((id) => [id, Object.hasOwn(answer, id) ? answer[id] : undefined]));
      for (const [id, name] of names) this.keep(id, name);
      return names;
    } finally {
      for (const id of ids) this.asked.delete(id);
    }
  }

  /** N2 */
  private keep(id: string, name: Name | undefined): void {
    const bytes = id.length + (name === undefined ? 0 : beam.pipeline.MonitoringInfo.encode(name).finish().length);
    if (this.bytes + bytes > this.limit) return;
    this.bytes += bytes;
    this.known.set(id, name);
  }
}
