// The ParDo of `withFailures`: calls another one's function, and keeps what it puts out until the call has succeeded.
import type { ElementContext, EmitAt, UntypedParDo } from "../model/do-fn.js";
import type { StatelessDoFn } from "./function-parts.js";
import type { Timestamp } from "../../portability/values/index.js";

type At = Timestamp | EmitAt;
type EmitTo = (value: unknown, at?: At) => void;
type Emits = Readonly<Record<string, EmitTo>>;
type Context = ElementContext & { readonly emit: Emits; readonly local: unknown };
type Fn = (value: unknown, context: unknown) => unknown;

interface Held {
  readonly tag: string;
  readonly value: unknown;
  readonly at: At | undefined;
}

interface GuardOptions {
  readonly isTagged: boolean;
  /** The tag of the output for failures. */
  readonly failures: string;
  readonly attempts: number;
}

/** The output of a ParDo that has no tags. */
const SINGLE = "out";

/** What one call has put out so far. */
class HeldOutputs {
  private readonly held: Held[] = [];
  private state: "calling" | "released" | "failed" = "calling";

  constructor(private readonly emits: Emits) {}

  emit(tag: string, value: unknown, at?: At): void {
    if (this.state === "calling") this.held.push({ tag, value, at });
    else if (this.state === "released") this.emits[tag](value, at); // too late: it says so itself
  }

  release(): void {
    this.state = "released";
    for (const { tag, value, at } of this.held) this.emits[tag](value, at);
  }

  drop(): void {
    this.state = "failed";
  }
}

export function guarded(doFn: StatelessDoFn, options: GuardOptions): UntypedParDo {
  const { failures, attempts } = options;
  const call = callerOf(doFn, options);

  const attempt = (element: unknown, context: Context, left: number): void | Promise<void> => {
    const outputs = new HeldOutputs(context.emit);
    const failed = (cause: unknown): void | Promise<void> => {
      outputs.drop();
      if (left > 1) return attempt(element, context, left - 1);
      const { window, timestamp } = context;
      context.emit[failures]({ element, error: errorOf(cause), window, timestamp });
    };
    let pending: void | Promise<void>;
    try {
      pending = call(element, context, outputs);
    } catch (cause) {
      return failed(cause);
    }
    // What is released may fail further on: that is no failure of this call.
    return pending === undefined ? outputs.release() : pending.then(() => outputs.release(), failed);
  };

  const process = (element: unknown, context: unknown): void | Promise<void> => attempt(element, context as Context, attempts);
  if (doFn.kind !== "par-do") return { process };
  const { spec } = doFn;
  return {
    ...(spec.setup === undefined ? {} : { setup: (context) => spec.setup?.(context) }),
    startBundle: (context) => spec.startBundle?.(context),
    process,
    finishBundle: (context) => spec.finishBundle?.(contextWith(context as Context, options, (emits) => emits)),
    teardown: (context) => spec.teardown?.(context),
  };
}

type Call = (element: unknown, context: Context, outputs: HeldOutputs) => void | Promise<void>;

/** Calls the function and has all that it gives put out: a promise if either takes its time. */
function callerOf(doFn: StatelessDoFn, options: GuardOptions): Call {
  if (doFn.kind === "par-do") {
    const { spec, tags } = doFn;
    return (element, context, outputs) => {
      const own = contextWith(context, options, () =>
        Object.fromEntries(tags.map((tag) => [tag, (value: unknown, at?: At) => outputs.emit(tag, value, at)])),
      );
      return whenSettled(spec.process(element, own), (result) => (options.isTagged ? undefined : emitItems(result, outputs)));
    };
  }
  const fn = doFn.fn as unknown as Fn;
  return (element, context, outputs) =>
    whenSettled(fn(element, context), (result) => {
      if (doFn.kind === "map") outputs.emit(SINGLE, result);
      else if (doFn.kind === "flat-map") return emitItems(result, outputs);
      else if (doFn.kind === "timestamp") outputs.emit(SINGLE, element, checkedNumber(result));
      else if (result === true) outputs.emit(SINGLE, element);
    });
}

/** A context like the given one, whose function emits elsewhere. */
function contextWith(context: Context, { isTagged }: GuardOptions, emitsOf: (emits: Emits) => Emits): unknown {
  const emits = emitsOf(context.emit);
  return Object.create(context, { emit: { value: isTagged ? emits : emits[SINGLE] } });
}

function whenSettled(result: unknown, then: (result: unknown) => void | Promise<void>): void | Promise<void> {
  return isThenable(result) ? Promise.resolve(result).then(then) : then(result);
}

function emitItems(items: unknown, outputs: HeldOutputs): void | Promise<void> {
  if (items === undefined || items === null) return;
  if (typeof items === "string" || (typeof items === "object" && Symbol.iterator in items))
    for (const item of items as Iterable<unknown>) outputs.emit(SINGLE, item);
  else if (typeof items === "object" && Symbol.asyncIterator in items) return emitLater(items as AsyncIterable<unknown>, outputs);
  else throw new TypeError(`expected an iterable, got ${typeof items}`);
}

async function emitLater(items: AsyncIterable<unknown>, outputs: HeldOutputs): Promise<void> {
  for await (const item of items) outputs.emit(SINGLE, item);
}

function checkedNumber(timestamp: unknown): Timestamp {
  if (typeof timestamp === "number") return timestamp;
  throw new TypeError(`expected a timestamp in milliseconds, got ${typeof timestamp}`);
}

function errorOf(cause: unknown): { readonly name: string; readonly message: string; readonly stack?: string | undefined } {
  if (!(cause instanceof Error)) return { name: "Error", message: String(cause) };
  const { name, message, stack } = cause;
  return { name, message, ...(stack === undefined ? {} : { stack }) };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return value !== null && typeof value === "object" && typeof (value as { then?: unknown }).then === "function";
}
