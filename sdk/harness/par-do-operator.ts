// The operator of an author's ParDo object: lifecycle, tagged outputs, emits that outlive the call refused.
import {
  ElementMeta,
  GLOBAL_WINDOWS,
  GLOBAL_WINDOW_MAX_TIMESTAMP,
  NO_FIRING,
  type Receiver,
  type Timestamp,
} from "../../portability/values/index.js";
import type { DoFn, UntypedParDo } from "../model/do-fn.js";
import { ReusedContext } from "./element-context.js";
import { emitAll } from "./iteration.js";
import type { Operator, OperatorScope } from "./operator.js";
import { isThenable, OrderedCalls, type Call } from "./ordered-calls.js";

/** The meta of elements emitted where there is no input: the global window, at its end. */
const FINISH_META = new ElementMeta(GLOBAL_WINDOW_MAX_TIMESTAMP, GLOBAL_WINDOWS, NO_FIRING);

type EmitFn = (value: unknown, timestamp?: Timestamp) => void;

/** An output kept until it is its call's turn. */
interface Held {
  readonly next: Receiver;
  readonly value: unknown;
  readonly meta: ElementMeta;
}

/** The context object of one call of `process`, or of several synchronous ones after another. */
class CallContext extends ReusedContext {
  /** Whether the call that owns this context is still running. */
  active = false;
  /** Undefined while outputs go straight through. */
  held: Held[] | undefined;
  readonly emit: EmitFn | Record<string, EmitFn>;

  constructor(
    outputs: ReadonlyMap<string, Receiver>,
    tagged: boolean,
    readonly local: unknown,
    private readonly scope: OperatorScope,
  ) {
    super();
    const emits = [...outputs].map(([tag, next]) => [tag, this.emitTo(next)] as const);
    this.emit = tagged ? Object.fromEntries(emits) : emits[0][1];
  }

  private emitTo(next: Receiver): EmitFn {
    return (value, timestamp) => {
      if (!this.active) {
        const error = this.scope.userError(
          "emitted after its call had settled",
          new Error("await everything that emits before process returns"),
          value,
        );
        this.scope.fail(error);
        throw error;
      }
      const meta = timestamp === undefined ? this.meta : new ElementMeta(timestamp, this.meta.windows, this.meta.pane);
      if (this.held === undefined) next(value, meta);
      else this.held.push({ next, value, meta });
    };
  }
}

export function parDoOperator(
  doFn: Extract<DoFn, { kind: "par-do" }>,
  outputs: ReadonlyMap<string, Receiver>,
  scope: OperatorScope,
): Operator {
  const spec: UntypedParDo = doFn.spec;
  const tagged = !(doFn.tags.length === 1 && doFn.tags[0] === "out");
  const main: Receiver = tagged ? () => undefined : (outputs.get("out") as Receiver);
  let local: unknown;
  const newContext = (): CallContext => new CallContext(outputs, tagged, local, scope);
  let context = newContext();
  const contexts = new WeakMap<Call, CallContext>();

  const call = (value: unknown, own: CallContext): unknown => {
    own.active = true;
    try {
      return spec.process(value, own);
    } catch (cause) {
      throw scope.userError("failed", cause, value);
    }
  };
  const calls = new OrderedCalls(
    doFn.concurrency,
    (waiting) => {
      const own = newContext();
      own.meta = waiting.meta;
      if (!calls.isHead(waiting)) own.held = [];
      contexts.set(waiting, own);
      const result = call(waiting.value, own);
      return isThenable(result) ? closing(result, own) : result;
    },
    (settled) => {
      const own = contexts.get(settled);
      if (own?.held !== undefined) {
        for (const { next, value, meta } of own.held) next(value, meta);
        own.held = undefined;
      }
      if (own !== undefined && !isAsyncIterable(settled.result)) own.active = false;
      return emitAll(tagged ? undefined : settled.result, settled.meta, main, scope);
    },
    (cause, failed) => scope.userError("rejected its promise", cause, failed.value),
  );

  return {
    receive(value, meta) {
      if (calls.busy) return calls.wait(value, meta);
      context.meta = meta;
      const result = call(value, context);
      if (result === undefined) context.active = false;
      else {
        const own = context;
        context = newContext();
        const patient: Call = { value, meta, settled: false, result: undefined, held: undefined };
        contexts.set(patient, own);
        calls.add(patient, isThenable(result) ? closing(result, own) : result);
      }
    },
    async setup() {
      if (spec.setup === undefined) return;
      try {
        local = await spec.setup();
      } catch (cause) {
        throw scope.userError("setup failed", cause);
      }
      context = newContext();
    },
    startBundle: () => lifecycle("startBundle failed", () => spec.startBundle?.({ local })),
    blocked: () => calls.blocked(),
    finishBundle() {
      const finish = (): void | Promise<void> => {
        if (spec.finishBundle === undefined) return;
        const own = newContext();
        own.meta = FINISH_META;
        own.active = true;
        return lifecycle("finishBundle failed", () => spec.finishBundle?.(own));
      };
      const settled = calls.settled();
      return settled === undefined ? finish() : settled.then(finish);
    },
    teardown: () => lifecycle("teardown failed", () => spec.teardown?.({ local })),
    abort: () => calls.abort(),
  };

  function lifecycle(action: string, fn: () => unknown): void | Promise<void> {
    try {
      const result = fn();
      if (isThenable(result))
        return Promise.resolve(result).then(
          () => undefined,
          (cause: unknown) => {
            throw scope.userError(action, cause);
          },
        );
    } catch (cause) {
      throw scope.userError(action, cause);
    }
  }
}

/** The same promise, after which its call may emit no more. */
function closing(result: PromiseLike<unknown>, own: CallContext): PromiseLike<unknown> {
  return result.then((value) => {
    if (!isAsyncIterable(value)) own.active = false;
    return value;
  });
}

function isAsyncIterable(value: unknown): boolean {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
