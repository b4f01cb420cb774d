// The operator of an author's ParDo object: lifecycle, tagged outputs, emits that outlive the call refused.
import {
  ElementMeta,
  GLOBAL_WINDOWS,
  GLOBAL_WINDOW_MAX_TIMESTAMP,
  MIN_TIMESTAMP,
  NO_FIRING,
  type Receiver,
  type Timestamp,
} from "../../portability/values/index.js";
import type { DoFn, EmitAt, UntypedParDo } from "../model/do-fn.js";
import { checkedTimestamp } from "./checked-timestamp.js";
import { ReusedContext, withSideInputs } from "./element-context.js";
import { emitAll } from "./iteration.js";
import type { Operator, OperatorScope } from "./operator.js";
import { isThenable, OrderedCalls } from "./ordered-calls.js";
import { withOwnCode } from "./own-code.js";
import type { SideInputView } from "./side-input-view.js";

/** The meta of elements emitted where there is no input: the global window, at its end. */
const FINISH_META = new ElementMeta(GLOBAL_WINDOW_MAX_TIMESTAMP, GLOBAL_WINDOWS, NO_FIRING);

type EmitFn = (value: unknown, at?: Timestamp | EmitAt) => void;

/** An output kept until it is its call's turn. */
interface Held {
  readonly next: Receiver;
  readonly value: unknown;
  readonly meta: ElementMeta;
}

/** Makes an emit function of a context. Closed, see {@link withOwnCode}. */
type MakeEmit = (context: CallContext, next: Receiver, scope: OperatorScope, library: typeof LIBRARY) => EmitFn;

const makeEmit: MakeEmit = (context, next, scope, { emittedLate, placed }) => {
  return (value, at) => {
    if (!context.active) return emittedLate(value, scope);
    const meta = at === undefined ? context.meta : placed(at, value, context.meta, scope);
    if (context.held === undefined) next(value, meta);
    else context.held.push({ next, value, meta });
  };
};

function emittedLate(value: unknown, scope: OperatorScope): void {
  if (scope.stopped()) return;
  const error = scope.userError(
    "emitted after its call had settled",
    new Error("await everything that emits before process returns"),
    value,
  );
  scope.fail(error);
  throw error;
}

function placed(at: Timestamp | EmitAt, value: unknown, meta: ElementMeta, scope: OperatorScope): ElementMeta {
  if (typeof at === "number")
    return new ElementMeta(
      checkedTimestamp(at, meta === FINISH_META ? MIN_TIMESTAMP : meta.timestamp, value, scope),
      meta.windows,
      meta.pane,
    );
  const timestamp = checkedTimestamp(at.timestamp, meta === FINISH_META ? MIN_TIMESTAMP : meta.timestamp, value, scope);
  return new ElementMeta(timestamp, at.window === undefined ? meta.windows : [at.window], meta.pane);
}

const LIBRARY = { emittedLate, placed };

/** An output of the operator, and how its emit functions are made: with code of their own, but one for all contexts. */
export interface Port {
  readonly tag: string;
  readonly next: Receiver;
  readonly makeEmit: MakeEmit;
}

/** The context object of one call of `process`, or of several synchronous ones after another. */
export class CallContext extends ReusedContext {
  /** Whether the call that owns this context is still running. */
  active = false;
  /** Undefined while outputs go straight through. */
  held: Held[] | undefined;
  readonly emit: EmitFn | Record<string, EmitFn>;

  constructor(
    ports: readonly Port[],
    tagged: boolean,
    readonly local: unknown,
    private readonly scope: OperatorScope,
  ) {
    super();
    const emits = ports.map(({ tag, next, makeEmit: make }) => [tag, make(this, next, scope, LIBRARY)] as const);
    this.emit = tagged ? Object.fromEntries(emits) : emits[0][1];
  }

  get isDraining(): boolean {
    return this.scope.isDraining();
  }
}

export function portsOf(outputs: ReadonlyMap<string, Receiver>): Port[] {
  return [...outputs].map(([tag, next]) => ({ tag, next, makeEmit: withOwnCode(makeEmit) }));
}

export function parDoOperator(
  doFn: Extract<DoFn, { kind: "par-do" }>,
  outputs: ReadonlyMap<string, Receiver>,
  scope: OperatorScope,
  views: ReadonlyMap<string, SideInputView>,
): Operator {
  const spec: UntypedParDo = doFn.spec;
  const Context = withSideInputs(CallContext, views);
  const tagged = !(doFn.tags.length === 1 && doFn.tags[0] === "out");
  const main: Receiver = tagged ? () => undefined : (outputs.get("out") as Receiver);
  let local: unknown;
  const ports = portsOf(outputs);
  const newContext = (): CallContext => new Context(ports, tagged, local, scope);
  let context = newContext();
  /** That of a `finishBundle` that has not settled. */
  let finishing: CallContext | undefined;

  const call = (value: unknown, own: CallContext): unknown => {
    own.active = true;
    try {
      return spec.process(value, own);
    } catch (cause) {
      throw scope.userError("failed", cause, value);
    }
  };
  const release = (own: CallContext): void => {
    const { held } = own;
    own.held = undefined;
    if (held !== undefined) for (const { next, value, meta } of held) next(value, meta);
  };
  const calls = new OrderedCalls<CallContext>(doFn.concurrency, {
    invoke(value, meta, isHead) {
      const own = newContext();
      own.meta = meta;
      if (!isHead) own.held = [];
      const result = call(value, own);
      return { context: own, result: isThenable(result) ? closing(result, own) : result };
    },
    deliver({ context: own, result, meta }) {
      release(own);
      const rest = emitAll(tagged ? undefined : result, meta, main, scope);
      if (rest === undefined) own.active = false;
      return rest;
    },
    lead: ({ context: own }) => release(own),
    drop({ context: own }) {
      own.active = false;
    },
    waits: () => scope.waits(),
    failed: (error) => scope.fail(error),
    wrap: (cause, value) => scope.userError("rejected its promise", cause, value),
  });

  return {
    receive(value, meta) {
      if (calls.busy) return calls.wait(value, meta);
      const own = context;
      own.meta = meta;
      const result = call(value, own);
      if (result === undefined) {
        own.active = false;
        return;
      }
      if (isThenable(result)) {
        context = newContext();
        calls.add(value, meta, own, closing(result, own));
        return;
      }
      const rest = emitAll(tagged ? undefined : result, meta, main, scope);
      if (rest === undefined) {
        own.active = false;
        return;
      }
      context = newContext();
      calls.addPaused(value, meta, own, rest);
    },
    async setup() {
      if (spec.setup === undefined) return;
      try {
        local = await spec.setup({ atEnd: scope.atEnd, checkpoints: scope.checkpoints });
      } catch (cause) {
        throw scope.userError("setup failed", cause);
      }
      context = newContext();
    },
    startBundle: () => lifecycle("startBundle failed", () => spec.startBundle?.({ local })),
    blocked: () => calls.blocked(),
    pending: () => calls.pending(),
    isBlocked: () => calls.full,
    finishBundle() {
      const finish = (): void | Promise<void> => {
        if (spec.finishBundle === undefined) return;
        const own = (finishing = newContext());
        own.meta = FINISH_META;
        own.active = true;
        const finished = lifecycle("finishBundle failed", () => spec.finishBundle?.(own));
        if (finished === undefined) own.active = false;
        return finished?.then(() => {
          own.active = false;
        });
      };
      const settled = calls.settled();
      return settled === undefined ? finish() : settled.then(finish);
    },
    teardown: () => lifecycle("teardown failed", () => spec.teardown?.({ local })),
    abort() {
      calls.abort();
      context.active = false; // what is still under way emits nothing more
      if (finishing !== undefined) finishing.active = false;
    },
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

/** The same promise, after which its call may emit no more, unless it gave something that is still to be iterated. */
function closing(result: PromiseLike<unknown>, own: CallContext): PromiseLike<unknown> {
  return result.then((value) => {
    if (typeof value !== "object" || value === null) own.active = false;
    return value;
  });
}
