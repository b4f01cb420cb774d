import type { beam } from "../../portability/protos/index.js";

/**
 * Whether combining before the grouping leaves the panes of this trigger as they were. A trigger that counts elements
 * (`element_count`, and `always`, which is a pane an element) would count accumulators instead.
 */
export function triggerAllowsLifting(trigger: beam.pipeline.ITrigger | null | undefined): boolean {
  if (!trigger) return true;
  if (trigger.elementCount || trigger.always) return false;
  const { afterEndOfWindow, orFinally } = trigger;
  const parts = [
    ...(trigger.afterAll?.subtriggers ?? []),
    ...(trigger.afterAny?.subtriggers ?? []),
    ...(trigger.afterEach?.subtriggers ?? []),
    trigger.repeat?.subtrigger,
    orFinally?.main,
    orFinally?.finally,
    afterEndOfWindow?.earlyFirings,
    afterEndOfWindow?.lateFirings,
  ];
  return parts.every(triggerAllowsLifting);
}
