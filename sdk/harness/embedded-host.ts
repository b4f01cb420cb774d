import { CoderRegistry, type Coder } from "../../portability/coders/index.js";
import type { StageContext, StageDescriptor, StageExecutor, StageHost } from "../../portability/stage-host/index.js";
import type { WindowFn } from "../../portability/windows/index.js";
import { registerOwnCoders } from "./own-coders.js";
import type { Program } from "./program.js";
import { windowFnOf } from "./window-fns.js";
import { openStage } from "./stage-executor.js";

/** Executes the stages of a TypeScript program in this process, on plain objects (design 3.5). */
export class EmbeddedHost implements StageHost {
  private readonly coders = new Map<string, Coder<unknown>>();
  private readonly registry = new CoderRegistry();
  private readonly ends: (() => void | Promise<void>)[] = [];

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

  windowFn(descriptor: StageDescriptor, windowingStrategyId: string): WindowFn {
    return windowFnOf(descriptor.components.windowingStrategies?.[windowingStrategyId]?.windowFn, this.program);
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

  async close(): Promise<void> {
    for (const end of this.ends.splice(0)) {
      try {
        await end();
      } catch {
        // the run is over: nothing can fail by it any more
      }
    }
  }
}
