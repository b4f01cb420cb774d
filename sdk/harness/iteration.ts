import type { ElementMeta, Receiver } from "../../portability/values/index.js";
import type { OperatorScope } from "./operator.js";

/** Items between two questions whether to pause. */
const STRIDE = 256;

/**
 * Sends the items of what a user function returned downstream. A long output pauses when the stage's outputs are full:
 * then the promise of the rest is returned. Whatever ends it early — a failure downstream, an aborted bundle — also ends the
 * author's generator, so that its `finally` runs.
 */
export function emitAll(result: unknown, meta: ElementMeta, next: Receiver, scope: OperatorScope): Promise<void> | void {
  if (result === undefined || result === null) return;
  if (Array.isArray(result)) return emitArray(result, 0, meta, next, scope);
  if (typeof result === "object") {
    if (Symbol.iterator in result) return emitIterable((result as Iterable<unknown>)[Symbol.iterator](), meta, next, scope);
    if (Symbol.asyncIterator in result) return emitAsync(result as AsyncIterable<unknown>, meta, next, scope);
  }
  if (typeof result === "string") return emitIterable(result[Symbol.iterator](), meta, next, scope);
  throw scope.userError("returned something that is not iterable", new TypeError(`expected an iterable, got ${typeof result}`));
}

function emitArray(items: readonly unknown[], from: number, meta: ElementMeta, next: Receiver, scope: OperatorScope): Promise<void> | void {
  const length = items.length;
  let i = from;
  while (i < length) {
    const end = Math.min(length, i + STRIDE);
    for (; i < end; i++) next(items[i], meta);
    if (i < length && scope.shouldPause())
      return scope.resume().then(() => (scope.stopped() ? undefined : emitArray(items, i, meta, next, scope)));
  }
}

function emitIterable(iterator: Iterator<unknown>, meta: ElementMeta, next: Receiver, scope: OperatorScope): Promise<void> | void {
  for (let i = 1; ; i++) {
    let step: IteratorResult<unknown>;
    try {
      step = iterator.next();
    } catch (cause) {
      throw scope.userError("its iterator threw", cause);
    }
    if (step.done === true) return;
    try {
      next(step.value, meta);
    } catch (error) {
      end(iterator);
      throw error;
    }
    if (i % STRIDE === 0 && scope.shouldPause()) {
      return scope.resume().then(
        () => (scope.stopped() ? end(iterator) : emitIterable(iterator, meta, next, scope)),
        (error: unknown) => {
          end(iterator);
          throw error;
        },
      );
    }
  }
}

/** Ends a generator early; what its `finally` throws is not worth more than what ended it. */
function end(iterator: Iterator<unknown>): void {
  try {
    iterator.return?.();
  } catch {
    // the bundle has failed already
  }
}

async function emitAsync(iterable: AsyncIterable<unknown>, meta: ElementMeta, next: Receiver, scope: OperatorScope): Promise<void> {
  const iterator = iterable[Symbol.asyncIterator]();
  for (;;) {
    let step: IteratorResult<unknown>;
    try {
      step = await iterator.next();
    } catch (cause) {
      throw scope.userError("its async iterator threw", cause);
    }
    if (step.done === true) return;
    try {
      if (!scope.stopped()) next(step.value, meta);
      if (scope.shouldPause()) await scope.resume();
    } catch (error) {
      await endAsync(iterator);
      throw error;
    }
    if (scope.stopped()) return await endAsync(iterator);
  }
}

async function endAsync(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // the bundle has failed already
  }
}
