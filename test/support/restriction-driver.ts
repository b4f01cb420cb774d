// Opens the stage that processes the restrictions of a splittable ParDo, and is its runner: keeps residuals, and says when to checkpoint.
import { EmbeddedHost } from "../../sdk/harness/embedded-host.js";
import { Program } from "../../sdk/harness/program.js";
import { translatePipeline } from "../../sdk/translate/translate-pipeline.js";
import { planPipeline } from "../../runner/index.js";
import { create, pipeline, type PCollection, type PTransform } from "../../sdk/index.js";
import type { Residual, StageExecutor, Truncation } from "../../portability/stage-host/index.js";
import { kv, type Receiver } from "../../portability/values/index.js";
import { at, type Output } from "./stage-driver.js";

export class RestrictionDriver {
  readonly outputs: Output[] = [];
  readonly residuals: Residual[] = [];
  readonly finalizers: (() => void | Promise<void>)[] = [];
  now = 0;
  /** How often it was asked. */
  claims = 0;
  shouldCheckpoint: () => boolean = () => false;
  truncation: Truncation = "none";
  executor!: StageExecutor;
  private input!: Receiver;

  static async open<T, O>(transform: PTransform<PCollection<T>, PCollection<O>>): Promise<RestrictionDriver> {
    const driver = new RestrictionDriver();
    const graph = pipeline((p) => {
      (p.apply(create("elements", [])) as PCollection<T>).apply(transform);
    }).build({});
    const { components } = planPipeline(translatePipeline(graph), { parallelism: 1 });
    const { stage, head } = components.find((component) => component.head.kind === "splittable")!;
    const [output] = Object.values(stage.components.transforms![stage.transformIds[0]].outputs!);
    driver.executor = await new EmbeddedHost(new Program(graph)).open(
      { ...stage, outputs: [output] },
      {
        outputs: new Map([[output, (value, meta) => void driver.outputs.push({ value, meta })]]),
        sideInputs: new Map(),
        restrictions: {
          now: () => driver.now,
          shouldCheckpoint() {
            driver.claims++;
            return driver.shouldCheckpoint();
          },
          shouldShare: () => false,
          residual: (residual) => void driver.residuals.push(residual),
          truncation: () => driver.truncation,
        },
        onCommitted: (callback) => void driver.finalizers.push(callback),
        shouldPause: () => false,
        resume: () => Promise.resolve(),
      },
    );
    driver.input = driver.executor.receiver(head.output);
    return driver;
  }

  /** Begins a bundle with an element; the work may still go on. */
  async begin(element: unknown, restriction: unknown, watermarkState: unknown = 0, timestamp = 0): Promise<void> {
    await this.executor.startBundle();
    this.input(kv(kv(element, kv(restriction, watermarkState)), 1), at(timestamp));
  }

  async beginAgain({ value, meta }: Residual): Promise<void> {
    await this.executor.startBundle();
    this.input(value, meta);
  }

  async end(): Promise<void> {
    await this.executor.finishBundle();
  }

  values(): unknown[] {
    return this.outputs.map(({ value }) => value);
  }
}

/** The restriction that a residual is about. */
export function restrictionOf({ value }: Residual): unknown {
  return (value as { key: { value: { key: unknown } } }).key.value.key;
}
