// When the panes of a key and window are emitted, as data: what authors build, what travels, what the runner's machine executes.
// The meaning of each kind is Beam's (Beam model, "triggers"; beam_runner_api.proto, `Trigger`).

/** A step from the arrival of a pane's first element to the instant at which the pane is emitted, in milliseconds. */
export type DelayStep = { readonly delayMs: number } | { readonly alignToMs: number; readonly offsetMs: number };

/**
 * When the panes of a key and window are emitted, as data. Authors make one with `afterWatermark()`, `afterDelay()` and their like.
 *
 * @example
 * ```ts
 * const trigger: Trigger = repeatedly(afterAny(afterCount(100), afterDelay(seconds(1))));
 * clicks.apply(windowInto(global(), { trigger })).apply(countGlobally());
 * ```
 */
export type Trigger =
  /** At the end of the window, and again for each element that comes late; never finishes. */
  | { readonly kind: "default" }
  /** For each element. */
  | { readonly kind: "always" }
  /** Not before the window expires. */
  | { readonly kind: "never" }
  /** Once at the end of the window; `early` is repeated before it, `late` behind it. */
  | { readonly kind: "after-end-of-window"; readonly early?: Trigger; readonly late?: Trigger }
  /** Once, when the steps have passed since the first element of the pane. */
  | { readonly kind: "after-processing-time"; readonly steps: readonly DelayStep[] }
  /** Once, when everything upstream has passed the arrival of the pane's first element. */
  | { readonly kind: "after-synchronized-processing-time" }
  /** Once, for as many elements. */
  | { readonly kind: "element-count"; readonly count: number }
  | { readonly kind: "repeat"; readonly of: Trigger }
  | { readonly kind: "after-all" | "after-any" | "after-each"; readonly of: readonly Trigger[] }
  /** Fires as `main` does until `until` fires, then once more and no more. */
  | { readonly kind: "or-finally"; readonly main: Trigger; readonly until: Trigger };

/** At the end of the window, and again for each element that comes late. */
export const DEFAULT_TRIGGER: Trigger = Object.freeze({ kind: "default" });

/** The trigger of a further grouping of what this one has emitted (Beam: continuation trigger). @internal */
export function continuationOf(trigger: Trigger): Trigger {
  switch (trigger.kind) {
    case "default":
    case "always":
    case "never":
    case "after-synchronized-processing-time":
      return trigger;
    case "after-end-of-window": {
      const { early, late } = trigger;
      return {
        ...trigger,
        ...(early === undefined ? {} : { early: continuationOf(early) }),
        ...(late === undefined ? {} : { late: continuationOf(late) }),
      };
    }
    case "after-processing-time":
      return { kind: "after-synchronized-processing-time" };
    case "element-count":
      return { kind: "element-count", count: 1 };
    case "repeat":
      return { kind: "repeat", of: continuationOf(trigger.of) };
    case "after-all":
    case "after-any":
      return { kind: trigger.kind, of: trigger.of.map(continuationOf) };
    case "after-each":
      return { kind: "repeat", of: { kind: "after-any", of: trigger.of.map(continuationOf) } };
    case "or-finally":
      return { kind: "or-finally", main: continuationOf(trigger.main), until: continuationOf(trigger.until) };
  }
}

/** Whether the trigger may finish, so that what comes later would be lost. @internal */
export function mayFinish(trigger: Trigger): boolean {
  switch (trigger.kind) {
    case "default":
    case "always":
    case "never": // what comes is emitted when the window expires
    case "repeat":
      return false;
    case "after-end-of-window":
      return trigger.late === undefined;
    case "after-processing-time":
    case "after-synchronized-processing-time":
    case "element-count":
      return true;
    case "after-all":
      return trigger.of.every(mayFinish);
    case "after-any":
      return trigger.of.some(mayFinish);
    case "after-each":
      return trigger.of.every(mayFinish);
    case "or-finally":
      return true;
  }
}

/** Whether it fires once the watermark passes the end of the window, and for each late element: as the default trigger does. @internal */
export function isDefaultTrigger(trigger: Trigger): boolean {
  if (trigger.kind === "default") return true;
  return trigger.kind === "repeat" && trigger.of.kind === "after-end-of-window" && !trigger.of.early && !trigger.of.late;
}
