// The operator of an author's ParDo with state and timers: one call at a time, for the key and window that the runner has selected.
import type { KeyedState } from "../../portability/stage-host/index.js";
import { ElementMeta, NO_FIRING, type Receiver, type Timestamp, type Window } from "../../portability/values/index.js";
import { EXPIRATION_FAMILY, type StatefulDoFn } from "../model/do-fn.js";
import type { CurrentCall } from "../model/state-spec.js";
import { checkedState } from "./checked-state.js";
import { withSideInputs } from "./element-context.js";
import { emitAll } from "./iteration.js";
import type { Operator, OperatorScope } from "./operator.js";
import { isThenable } from "./ordered-calls.js";
import { CallContext, portsOf, type Port } from "./par-do-operator.js";
import type { SideInputView } from "./side-input-view.js";

/** A call's context, which has the handles of state and timers, too. */
class StatefulCallContext extends CallContext implements CurrentCall {
  readonly state: Readonly<Record<string, unknown>>;
  readonly timers: Readonly<Record<string, unknown>>;

  constructor(doFn: StatefulDoFn, keyed: KeyedState, ports: readonly Port[], tagged: boolean, local: unknown, scope: OperatorScope) {
    super(ports, tagged, local, scope);
    const call: CurrentCall = this.currentCall();
    const checked = checkedState(keyed, call);
    this.state = mapped(doFn.state, (spec, id) => spec.open(checked, id));
    this.timers = mapped(doFn.timers, (spec, id) => spec.open(keyed.timers(id), (window) => keyed.expiryOf(window), call));
  }

  /** Only a call that is under way may ask for state: afterwards it would be that of another key. */
  check(): void {
    if (!this.active) throw new Error("state and timers are those of a call: await everything that uses them before it returns");
  }

  private currentCall(): CurrentCall {
    const context = this as StatefulCallContext;
    return {
      get timestamp(): Timestamp {
        return context.meta.timestamp;
      },
      get window(): Window {
        return context.meta.windows[0];
      },
      check: () => context.check(),
    };
  }
}

/** One of the author's functions, and how errors speak of it. */
interface Callback {
  readonly what: string;
  readonly fn: (subject: unknown, context: StatefulCallContext) => unknown;
}

export function statefulOperator(
  doFn: StatefulDoFn,
  outputs: ReadonlyMap<string, Receiver>,
  scope: OperatorScope,
  views: ReadonlyMap<string, SideInputView>,
): Operator {
  const { spec } = doFn;
  const { keyed } = scope;
  if (keyed === undefined) throw new Error(`transform "${scope.name}" has state, and its runner has none for it`);
  const Context = withSideInputs(StatefulCallContext, views);
  const tagged = !(doFn.tags.length === 1 && doFn.tags[0] === "out");
  const main: Receiver = tagged ? () => undefined : (outputs.get("out") as Receiver);
  const ports = portsOf(outputs);
  let local: unknown;
  let context: StatefulCallContext | undefined;
  /** The call that has not settled, and what it is for. */
  let pending: { readonly settled: Promise<void>; readonly value: unknown } | undefined;

  const process: Callback = { what: "", fn: (element, own) => spec.process(element, own) };
  const expired: Callback = { what: "onWindowExpiration ", fn: (key, own) => spec.onWindowExpiration?.(key, own) };
  const callbacks = mapped(doFn.timers, (_timer, name): Callback => {
    return { what: `onTimer.${name} `, fn: (timer, own) => spec.onTimer?.[name](timer, own) };
  });
  /** That of the timer that fired last: many fire in the same window at the same instant. */
  let lastMeta: ElementMeta | undefined;

  const call = (subject: unknown, meta: ElementMeta, { what, fn }: Callback): void => {
    const own = (context ??= new Context(doFn, keyed, ports, tagged, local, scope));
    own.meta = meta;
    own.active = true;
    let result: unknown;
    try {
      result = fn(subject, own);
    } catch (cause) {
      throw scope.userError(`${what}failed`, cause, subject);
    }
    if (result === undefined) own.active = false;
    else if (isThenable(result)) wait(subject, `${what}rejected its promise`, own, result);
    else {
      const rest = emitAll(tagged ? undefined : result, meta, main, scope);
      if (rest === undefined) own.active = false;
      else hold(subject, rest);
    }
  };

  const wait = (value: unknown, action: string, own: StatefulCallContext, result: PromiseLike<unknown>): void => {
    const settled = Promise.resolve(result).then(
      (returned) => (scope.stopped() ? undefined : emitAll(tagged ? undefined : returned, own.meta, main, scope)),
      (cause: unknown) => {
        throw scope.userError(action, cause, value);
      },
    );
    hold(value, settled);
  };

  const hold = (value: unknown, rest: Promise<void>): void => {
    scope.waits();
    const settled = rest.finally(() => {
      if (context !== undefined) context.active = false;
      pending = undefined;
    });
    settled.catch(() => undefined); // who waits for it hears of it
    pending = { settled, value };
  };

  return {
    receive: (value, meta) => call(value, meta, process),
    fire(timer) {
      const { family, key, window, outputAt } = timer;
      if (lastMeta?.timestamp !== outputAt || lastMeta.windows[0] !== window) lastMeta = new ElementMeta(outputAt, [window], NO_FIRING);
      const meta = lastMeta;
      if (family === EXPIRATION_FAMILY) call({ key }, meta, expired);
      else call(timer, meta, callbacks[family]);
    },
    async setup() {
      try {
        local = await spec.setup?.({ atEnd: scope.atEnd, checkpoints: scope.checkpoints });
      } catch (cause) {
        throw scope.userError("setup failed", cause);
      }
      context = undefined;
    },
    blocked: () => pending?.settled,
    isBlocked: () => pending !== undefined,
    pending: () => pending,
    finishBundle: () => pending?.settled,
    async teardown() {
      try {
        await spec.teardown?.({ local });
      } catch (cause) {
        throw scope.userError("teardown failed", cause);
      }
    },
    abort() {
      if (context !== undefined) context.active = false;
    },
  };
}

function mapped<T, R>(specs: Readonly<Record<string, T>>, fn: (spec: T, id: string) => R): Readonly<Record<string, R>> {
  return Object.fromEntries(Object.entries(specs).map(([id, spec]) => [id, fn(spec, id)]));
}
