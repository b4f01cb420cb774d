import fc from "fast-check";
import { DEFAULT_TRIGGER, type DelayStep, type Trigger } from "../../portability/windows/index.js";

const step: fc.Arbitrary<DelayStep> = fc.oneof(
  fc.record({ delayMs: fc.integer({ min: 0, max: 12 }) }),
  fc.record({ alignToMs: fc.integer({ min: 1, max: 10 }), offsetMs: fc.integer({ min: 0, max: 3 }) }),
);
// Counts and delays have most to remember, and so to get wrong; what is always or never ready hides what is beside it.
const leaf: fc.Arbitrary<Trigger> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom<Trigger>(DEFAULT_TRIGGER, { kind: "always" }, { kind: "never" }) },
  { weight: 2, arbitrary: fc.constant<Trigger>({ kind: "after-end-of-window" }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("element-count" as const), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("after-processing-time" as const), steps: fc.array(step, { maxLength: 2 }) }) },
  { weight: 1, arbitrary: fc.constant<Trigger>({ kind: "after-synchronized-processing-time" }) },
);

/** Triggers of so many levels. */
export function triggerOf(depth: number): fc.Arbitrary<Trigger> {
  if (depth === 0) return leaf;
  const part = triggerOf(depth - 1);
  return fc.oneof(
    leaf,
    fc.record({ kind: fc.constant("after-end-of-window" as const), early: part, late: part }, { requiredKeys: ["kind"] }),
    fc.record({ kind: fc.constant("repeat" as const), of: part }),
    fc.record({
      kind: fc.constantFrom("after-all" as const, "after-any" as const, "after-each" as const),
      of: fc.array(part, { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant("or-finally" as const), main: part, until: part }),
  );
}
