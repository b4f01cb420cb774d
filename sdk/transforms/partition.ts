import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { fronted } from "./function-parts.js";
import { output, parDo } from "./par-do.js";
import { withCoder } from "./with-coder.js";

/**
 * Deals elements out to named PCollections: `fn` names the one for each element.
 *
 * @throws (at run time) UserCodeError when `fn` gives another name
 * @example
 * ```ts
 * const { even, odd } = numbers.apply(partition(["even", "odd"], (n) => (n % 2 === 0 ? "even" : "odd")));
 * ```
 */
export function partition<T, const N extends string>(
  names: readonly N[],
  fn: (value: T) => NoInfer<N>,
  name?: string,
): PTransform<PCollection<T>, { readonly [Name in N]: PCollection<T> }> {
  return fronted(name, "partition", (input: PCollection<T>, first) => {
    const outputs = Object.fromEntries(names.map((each) => [each, output<T>()]));
    const parts = input.apply(
      first(
        parDo("deal out", {
          outputs,
          process(value: T, { emit }) {
            const chosen = fn(value);
            const send = Object.hasOwn(emit, chosen) ? emit[chosen] : undefined;
            if (send === undefined) throw new RangeError(`"${String(chosen)}" is none of the partitions ${names.join(", ")}`);
            send(value);
          },
        }),
      ),
    );
    const typed = names.map((each) => [each, parts[each].apply(withCoder(input.coder as never))] as const);
    return Object.fromEntries(typed) as unknown as { readonly [Name in N]: PCollection<T> };
  });
}
