import { CoderRegistry, type Coder } from "../../portability/coders/index.js";
import { beam } from "../../portability/protos/index.js";
import {
  PipelineError,
  type StageContext,
  type StageDescriptor,
  type StageExecutor,
  type StageHost,
} from "../../portability/stage-host/index.js";
import { CODER } from "../../portability/urns/index.js";
import type { Window } from "../../portability/values/index.js";
import { codersOf, planBundles } from "./bundle-descriptor.js";
import type { Harness } from "./harness.js";
import { rawCoder } from "./raw-coder.js";
import { RemoteExecutor, sideInputId } from "./remote-executor.js";
import { SideInputState } from "./side-input-state.js";

const WINDOW_CODERS: ReadonlySet<string> = new Set([CODER.GLOBAL_WINDOW, CODER.INTERVAL_WINDOW, CODER.CUSTOM_WINDOW]);

/** Starts the harness of an environment, and ends it. */
export interface HarnessPool {
  /** The harness of an environment, ready to take orders; started when it is first asked for. */
  harness(environmentId: string): Promise<Harness>;
  /** `host:port` of the Fn API's services. */
  readonly url: string;
  close(): Promise<void>;
}

/** Executes stages on harnesses of Beam's SDKs, by the Fn API. Elements are bytes: see raw-coder.ts. */
export class RemoteHost implements StageHost {
  private readonly registry = new CoderRegistry();
  private stages = 0;

  constructor(private readonly pool: HarnessPool) {}

  coder(descriptor: StageDescriptor, coderId: string): Coder<unknown> {
    const coders = descriptor.components.coders ?? {};
    const isWindow = WINDOW_CODERS.has(coders[coderId]?.spec?.urn ?? "");
    return isWindow ? this.registry.fromProto(coderId, coders) : rawCoder(coderId, coders);
  }

  async open(descriptor: StageDescriptor, context: StageContext): Promise<StageExecutor> {
    const harness = await this.pool.harness(descriptor.environmentId);
    const plan = planBundles(descriptor, `${descriptor.id}-${++this.stages}`, this.pool.url);
    harness.addDescriptor(plan.descriptor);
    const elementCoder = (coderId: string): Coder<unknown> => this.coder(descriptor, coderId);
    const windowCoder = (coderId: string): Coder<Window> => this.coder(descriptor, coderId) as Coder<Window>;
    const sideInputs = this.sideInputs(descriptor, context);
    return new RemoteExecutor({ descriptor, context, harness, plan, elementCoder, windowCoder, sideInputs });
  }

  close(): Promise<void> {
    return this.pool.close();
  }

  private sideInputs(descriptor: StageDescriptor, context: StageContext): Map<string, SideInputState> {
    const found = new Map<string, SideInputState>();
    for (const transformId of descriptor.transformIds) {
      const transform = descriptor.components.transforms?.[transformId];
      for (const [tag, pcollection] of Object.entries(transform?.inputs ?? {})) {
        const elements = context.sideInputs.get(pcollection);
        if (elements === undefined) continue;
        const { coderId, windowCoderId } = codersOf(descriptor, pcollection);
        const windowCoder = this.coder(descriptor, windowCoderId) as Coder<Window>;
        found.set(sideInputId(transformId, tag), new SideInputState(elements, this.coder(descriptor, coderId), windowCoder));
      }
    }
    return found;
  }
}

/** The endpoint of an environment whose harnesses somebody else starts. @throws PipelineError for any other kind */
export function externalEndpoint(id: string, environment: beam.pipeline.IEnvironment | null | undefined): string {
  if (environment?.urn !== "beam:env:external:v1")
    throw new PipelineError(
      "unsupported_environment",
      `environment "${id}" is of the kind ${environment?.urn ?? "(none)"}, which this runner cannot start yet; ` +
        `use --environment_type=LOOPBACK, or EXTERNAL with the address of a worker pool`,
    );
  const url = beam.pipeline.ExternalPayload.decode(environment.payload ?? new Uint8Array()).endpoint?.url;
  if (!url) throw new PipelineError("unsupported_environment", `environment "${id}" is external, but says not where`);
  return url;
}
