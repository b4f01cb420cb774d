// Operators of the one-function ParDos: map, filter, flatMap, withTimestamps. Each is a closure over its function and its
// downstream receiver, made once when the stage opens: composed closures cost a third of operator objects per hop.
import { ElementMeta, type Receiver } from "../../portability/values/index.js";
import type { DoFn } from "../model/do-fn.js";
import { checkedTimestamp } from "./checked-timestamp.js";
import { ReusedContext, withSideInputs } from "./element-context.js";
import { emitAll } from "./iteration.js";
import type { Counter, Operator, OperatorScope } from "./operator.js";
import { isThenable, OrderedCalls } from "./ordered-calls.js";
import { withOwnCode } from "./own-code.js";
import type { SideInputView } from "./side-input-view.js";

type Fn = (value: unknown, context: ReusedContext) => unknown;

/** Sends one settled result on. */
type Deliver = (result: unknown, value: unknown, meta: ElementMeta) => Promise<void> | void;

/** What the receivers of one operator share; the context is replaced when a call keeps it. */
interface State extends Counter {
  readonly Context: new () => ReusedContext;
  context: ReusedContext;
  readonly calls: OrderedCalls<undefined>;
}

/**
 * Makes the receiver of an operator. Closed, see {@link withOwnCode}: everything it uses is a parameter.
 *
 * The makers below repeat each other on purpose: sharing the body would put one more call on the path of every element.
 */
type MakeReceiver = (fn: Fn, next: Receiver, scope: OperatorScope, state: State, library: typeof LIBRARY) => Receiver;

export function functionOperator(
  doFn: Exclude<DoFn, { kind: "par-do" | "stateful" | "splittable" }>,
  next: Receiver,
  scope: OperatorScope,
  views: ReadonlyMap<string, SideInputView>,
): Operator {
  const fn = doFn.fn as unknown as Fn;
  const Context = withSideInputs(ReusedContext, views);
  switch (doFn.kind) {
    case "timestamp":
      return callOperator(
        fn,
        Context,
        doFn.concurrency,
        scope,
        (result, value, meta) => next(value, stamped(result, value, meta, scope)),
        timestampReceiver,
        next,
      );
    case "map":
      return callOperator(fn, Context, doFn.concurrency, scope, (result, _, meta) => next(result, meta), mapReceiver, next);
    case "filter":
      return callOperator(
        fn,
        Context,
        doFn.concurrency,
        scope,
        (result, value, meta) => (result === true ? next(value, meta) : undefined),
        filterReceiver,
        next,
      );
    case "flat-map":
      return callOperator(
        fn,
        Context,
        doFn.concurrency,
        scope,
        (result, _, meta) => emitAll(result, meta, next, scope),
        flatMapReceiver,
        next,
      );
  }
}

function callOperator(
  fn: Fn,
  Context: new () => ReusedContext,
  concurrency: number,
  scope: OperatorScope,
  deliver: Deliver,
  makeReceiver: MakeReceiver,
  next: Receiver,
): Operator {
  const calls = new OrderedCalls<undefined>(concurrency, {
    invoke(value, meta) {
      const own = new Context();
      own.meta = meta;
      try {
        return { context: undefined, result: fn(value, own) };
      } catch (cause) {
        throw scope.userError("failed", cause, value);
      }
    },
    deliver: (call) => deliver(call.result, call.value, call.meta),
    waits: () => scope.waits(),
    failed: (error) => scope.fail(error),
    wrap: (cause, value) => scope.userError("rejected its promise", cause, value),
  });
  const state: State = { n: 0, Context, context: new Context(), calls };
  return {
    counter: state,
    receive: withOwnCode(makeReceiver)(fn, next, scope, state, LIBRARY),
    blocked: () => calls.blocked(),
    pending: () => calls.pending(),
    isBlocked: () => calls.full,
    finishBundle: () => calls.settled(),
    abort: () => calls.abort(),
  };
}

/** Hands over a call that goes on after its function returned; it keeps the context. */
function later(state: State, value: unknown, meta: ElementMeta, result: PromiseLike<unknown>): void {
  state.context = new state.Context();
  state.calls.add(value, meta, undefined, result);
}

const mapReceiver: MakeReceiver = (fn, next, scope, state, { isThenable, later }) => {
  const { calls } = state;
  return (value, meta) => {
    state.n++;
    if (calls.busy) return calls.wait(value, meta);
    const { context } = state;
    context.meta = meta;
    let result: unknown;
    try {
      result = fn(value, context);
    } catch (cause) {
      throw scope.userError("failed", cause, value);
    }
    if (typeof result === "object" && isThenable(result)) later(state, value, meta, result);
    else next(result, meta);
  };
};

const filterReceiver: MakeReceiver = (fn, next, scope, state, { isThenable, later }) => {
  const { calls } = state;
  return (value, meta) => {
    state.n++;
    if (calls.busy) return calls.wait(value, meta);
    const { context } = state;
    context.meta = meta;
    let result: unknown;
    try {
      result = fn(value, context);
    } catch (cause) {
      throw scope.userError("failed", cause, value);
    }
    if (result === true) next(value, meta);
    else if (result !== false && isThenable(result)) later(state, value, meta, result);
  };
};

const flatMapReceiver: MakeReceiver = (fn, next, scope, state, { isThenable, later, emitAll }) => {
  const { calls } = state;
  return (value, meta) => {
    state.n++;
    if (calls.busy) return calls.wait(value, meta);
    const { context } = state;
    context.meta = meta;
    let result: unknown;
    try {
      result = fn(value, context);
    } catch (cause) {
      throw scope.userError("failed", cause, value);
    }
    if (Array.isArray(result) && result.length <= 256) {
      // short: sent without asking whether to pause
      for (let i = 0; i < result.length; i++) next(result[i], meta);
    } else if (isThenable(result)) later(state, value, meta, result);
    else {
      const rest = emitAll(result, meta, next, scope);
      if (rest === undefined) return;
      state.context = new state.Context();
      calls.addPaused(value, meta, undefined, rest);
    }
  };
};

const timestampReceiver: MakeReceiver = (fn, next, scope, state, { isThenable, later, stamped }) => {
  const { calls } = state;
  return (value, meta) => {
    state.n++;
    if (calls.busy) return calls.wait(value, meta);
    const { context } = state;
    context.meta = meta;
    let result: unknown;
    try {
      result = fn(value, context);
    } catch (cause) {
      throw scope.userError("failed", cause, value);
    }
    if (typeof result === "object" && isThenable(result)) later(state, value, meta, result);
    else next(value, stamped(result, value, meta, scope));
  };
};

function stamped(timestamp: unknown, value: unknown, meta: ElementMeta, scope: OperatorScope): ElementMeta {
  return new ElementMeta(checkedTimestamp(timestamp as number, meta.timestamp, value, scope), meta.windows, meta.pane);
}

const LIBRARY = { isThenable, later, emitAll, stamped };
