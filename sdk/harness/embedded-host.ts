import { CoderRegistry, type Coder } from "../../portability/coders/index.js";
import { beam } from "../../portability/protos/index.js";
import type {
  MergeAccumulators,
  SourceContext,
  SourceReader,
  StageContext,
  StageDescriptor,
  StageExecutor,
  StageHost,
} from "../../portability/stage-host/index.js";
import type { WindowFn } from "../../portability/windows/index.js";
import type { EndFunction } from "../model/do-fn.js";
import { readFunctionPayload } from "../translate/function-payload.js";
import { mergeEarly } from "./merge-early.js";
import { combineFnOf } from "./operators.js";
import { registerOwnCoders } from "./own-coders.js";
import type { Program } from "./program.js";
import { openSource } from "./source-reader.js";
import { windowFnOf } from "./window-fns.js";
import { openStage } from "./stage-executor.js";

/** Executes the stages of a TypeScript program in this process, on plain objects (design 3.5). */
export class EmbeddedHost implements StageHost {
  private readonly coders = new Map<string, Coder<unknown>>();
  private readonly registry = new CoderRegistry();
  private readonly ends: EndFunction[] = [];
  private readonly readers = new Set<SourceReader>();
  private closed = false;

  constructor(private readonly program: Program) {
    registerOwnCoders(program.coders(), this.registry);
  }

  coder(descriptor: StageDescriptor, coderId: string): Coder<unknown> {
    let coder = this.coders.get(coderId);
    if (coder === undefined) {
      coder = this.registry.fromProto(coderId, descriptor.components.coders ?? {});
      this.coders.set(coderId, coder);
    }
    return coder;
  }

  /** Those of the program: in protos a bigint looks like a number. */
  stateCoders({ components }: StageDescriptor, transformId: string, stateId: string): readonly Coder<unknown>[] | undefined {
    const payload = beam.pipeline.ParDoPayload.decode(components.transforms?.[transformId]?.spec?.payload ?? new Uint8Array());
    const { doFn } = this.program.primitive(readFunctionPayload(payload.doFn?.payload).transform, "par-do");
    return doFn.kind === "stateful" ? doFn.state[stateId]?.coders : undefined;
  }

  windowFn(descriptor: StageDescriptor, windowingStrategyId: string): WindowFn {
    return windowFnOf(descriptor.components.windowingStrategies?.[windowingStrategyId]?.windowFn, this.program);
  }

  merger({ components }: StageDescriptor, transformId: string): MergeAccumulators | undefined {
    const transform = components.transforms?.[transformId];
    return transform && mergeEarly(combineFnOf(transform, this.program));
  }

  async open(descriptor: StageDescriptor, context: StageContext): Promise<StageExecutor> {
    const executor = openStage(
      descriptor,
      this.program,
      (coderId) => this.coder(descriptor, coderId),
      context,
      (fn) => this.ends.push(fn),
    );
    await executor.setup();
    return executor;
  }

  async openSource({ components }: StageDescriptor, transformId: string, context: SourceContext): Promise<SourceReader> {
    const transform = components.transforms?.[transformId];
    const reader = await openSource(transform?.uniqueName ?? transformId, transform?.spec?.payload, this.program, context);
    if (this.closed) await reader.close();
    else this.readers.add(reader);
    return reader;
  }

  async close(isComplete: boolean): Promise<void> {
    this.closed = true;
    for (const reader of this.readers) await reader.close().catch(() => {}); // the run is over, as below
    for (const end of this.ends.splice(0)) {
      try {
        await end({ isComplete });
      } catch {
        // the run is over: nothing can fail by it any more
      }
    }
  }
}
