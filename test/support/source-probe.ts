import type { NextRead, SourceReader, StageDescriptor } from "../../portability/stage-host/index.js";
import { VirtualClock } from "../../runner/runtime/index.js";
import { EmbeddedHost } from "../../sdk/harness/embedded-host.js";
import { Program } from "../../sdk/harness/program.js";
import { pipeline, type PCollection, type Pipeline, type PTransform } from "../../sdk/index.js";
import { translatePipeline } from "../../sdk/translate/translate-pipeline.js";

/** What a source put out, and when it wants to be read again. */
export interface Found<T> {
  readonly elements: readonly T[];
  readonly timestamps: readonly number[];
  readonly next: NextRead;
}

/** One reader of a source as the runner would have it, on a clock that stands still until a test moves it. */
export class SourceProbe<T> {
  readonly clock = new VirtualClock();
  calls = 0;
  private reader!: SourceReader;
  private called: () => void = () => {};

  static async open<T>(
    transform: PTransform<Pipeline, PCollection<T>>,
    { index = 0, count = 1, position }: { readonly index?: number; readonly count?: number; readonly position?: Uint8Array } = {},
  ): Promise<SourceProbe<T>> {
    const probe = new SourceProbe<T>();
    const graph = pipeline((p) => void p.apply(transform)).build({});
    const { components } = translatePipeline(graph);
    const [id] = Object.keys(components?.transforms ?? {});
    const context = { index, count, position, now: () => probe.clock.now(), available: () => probe.available() };
    probe.reader = await new EmbeddedHost(new Program(graph)).openSource({ components } as StageDescriptor, id, context);
    return probe;
  }

  /** Reads `limit` elements at most. */
  read(limit = Infinity): Found<T> {
    const elements: T[] = [];
    const timestamps: number[] = [];
    const next = this.reader.read((element, timestamp) => {
      timestamps.push(timestamp);
      return elements.push(element as T) < limit;
    });
    return { elements, timestamps, next };
  }

  /** Reads until so many elements have come, whenever the source says that there is something. */
  async readUntil(count: number): Promise<T[]> {
    const found: T[] = [];
    for (;;) {
      const called = new Promise<void>((resolve) => (this.called = resolve));
      found.push(...this.read().elements);
      if (found.length >= count) return found;
      await called;
    }
  }

  /** Where a reader would go on. */
  get position(): Uint8Array | undefined {
    return this.reader.position?.();
  }

  get watermark(): number {
    return this.reader.watermark();
  }

  drain(): void {
    this.reader.drain();
  }

  close(): Promise<void> {
    return this.reader.close();
  }

  private available(): void {
    this.calls++;
    this.called();
  }
}
