// Opens a piece of a pipeline as one stage of the embedded host, with outputs that are kept in arrays.
import { translatePipeline } from "../../sdk/translate/translate-pipeline.js";
import { EmbeddedHost } from "../../sdk/harness/embedded-host.js";
import { Program } from "../../sdk/harness/program.js";
import type { StageContext, StageDescriptor, StageExecutor } from "../../portability/stage-host/index.js";
import { ElementMeta, GLOBAL_WINDOWS, NO_FIRING, type Receiver, type Window } from "../../portability/values/index.js";
import { pipeline, type PCollection } from "../../sdk/index.js";
import { impulse } from "../../sdk/transforms/impulse.js";

/** The meta of an element of the global window at a timestamp. */
export const at = (timestamp: number, windows: readonly Window[] = GLOBAL_WINDOWS): ElementMeta =>
  new ElementMeta(timestamp, windows, NO_FIRING);

/** A promise that is settled by hand. */
export class Deferred<T> {
  resolve!: (value: T) => void;
  reject!: (error: unknown) => void;
  readonly promise = new Promise<T>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}

/** Lets everything run that can run without anything else being settled. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export interface Output {
  readonly value: unknown;
  readonly meta: ElementMeta;
}

type Outputs = PCollection<never> | PCollection<unknown> | Readonly<Record<string, PCollection<never> | PCollection<unknown>>>;

export class StageDriver {
  /** What each PCollection of `tapped` received, by its name. */
  readonly outputs: Record<string, Output[]> = {};
  /** While true, long outputs pause until {@link unpause}. */
  paused = false;
  private waiting: (() => void)[] = [];
  private executor!: StageExecutor;
  private input!: Receiver;

  /**
   * @param build the transforms of the stage: reads `input` and gives the PCollections to tap
   * @param decorate replaces the receiver of an output
   */
  static async open<T>(
    build: (input: PCollection<T>) => Outputs,
    decorate: (receiver: Receiver) => Receiver = (receiver) => receiver,
  ): Promise<StageDriver> {
    const driver = new StageDriver();
    let source!: PCollection<unknown>;
    let tapped!: Record<string, PCollection<unknown>>;
    const graph = pipeline((p) => {
      source = p.apply(impulse("input")) as PCollection<unknown>;
      const result = build(source as PCollection<T>) as PCollection<unknown> | Record<string, PCollection<unknown>>;
      tapped = "graph" in result ? { out: result as PCollection<unknown> } : result;
    }).build();
    const { components } = translatePipeline(graph);
    const transforms = components?.transforms ?? {};
    const ids = Object.keys(transforms).filter((id) => id !== "input" && (transforms[id].subtransforms ?? []).length === 0);
    const receivers = new Map<string, Receiver>();
    for (const [name, pcollection] of Object.entries(tapped)) {
      const found: Output[] = (driver.outputs[name] = []);
      receivers.set(
        pcollection.id,
        decorate((value, meta) => found.push({ value, meta })),
      );
    }
    const context: StageContext = {
      outputs: receivers,
      sideInputs: new Map(),
      shouldPause: () => driver.paused,
      resume: () => new Promise((resolve) => driver.waiting.push(resolve)),
    };
    const descriptor: StageDescriptor = {
      id: "stage",
      environmentId: "typescript",
      inputs: [source.id],
      outputs: [...receivers.keys()],
      sideInputs: [],
      transformIds: ids,
      components: components ?? {},
    };
    driver.executor = await new EmbeddedHost(new Program(graph)).open(descriptor, context);
    driver.input = driver.executor.receiver(source.id);
    return driver;
  }

  /** Values that the output has received so far. */
  values(output = "out"): unknown[] {
    return this.outputs[output].map(({ value }) => value);
  }

  send(...elements: unknown[]): this {
    for (const element of elements) this.input(element, at(0));
    return this;
  }

  sendAt(value: unknown, meta: ElementMeta): void {
    this.input(value, meta);
  }

  start(): void | Promise<void> {
    return this.executor.startBundle();
  }

  blocked(): Promise<void> | undefined {
    return this.executor.blocked();
  }

  finish(): void | Promise<void> {
    return this.executor.finishBundle();
  }

  abort(): void {
    this.executor.abort();
  }

  close(): Promise<void> {
    return this.executor.close();
  }

  counts(): ReadonlyMap<string, number> {
    return this.executor.elementCounts();
  }

  unpause(): void {
    this.paused = false;
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

/** Opens the stage, runs one bundle of the elements through it, and gives the values of its output. */
export async function runBundle<T>(build: (input: PCollection<T>) => Outputs, elements: readonly T[]): Promise<unknown[]> {
  const stage = await StageDriver.open(build);
  await stage.start();
  stage.send(...elements);
  await stage.finish();
  await stage.close();
  return stage.values();
}
