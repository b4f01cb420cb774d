// What `parDo` must infer and refuse.
import { output, parDo, type KV, type PCollection } from "../../sdk/index.js";
import { expectType, type Equal } from "./equal.js";

declare const numbers: PCollection<number>;
declare const pairs: PCollection<KV<string, number>>;

// The element comes from the PCollection, also inside a method of the object; the output from what it returns.
const returned = numbers.apply(
  parDo({
    process(n) {
      expectType<Equal<typeof n, number>>(true);
      return [String(n)];
    },
  }),
);
expectType<Equal<typeof returned, PCollection<string>>>(true);

const arrow = pairs.apply(parDo("arrow", { process: ({ key, value }) => [{ [key]: value }] }));
expectType<Equal<typeof arrow, PCollection<{ [x: string]: number }>>>(true);

// Or from the declared output.
const emitted = numbers.apply(
  parDo({
    outputs: output<string>(),
    process(n, { emit, timestamp }) {
      expectType<Equal<typeof n, number>>(true);
      emit(n.toFixed(2), timestamp + 1);
    },
  }),
);
expectType<Equal<typeof emitted, PCollection<string>>>(true);

// Tagged outputs.
const { even, odd } = numbers.apply(
  parDo("split", {
    outputs: { even: output<number>(), odd: output<string>() },
    process(n, { emit }) {
      expectType<Equal<typeof n, number>>(true);
      if (n % 2 === 0) emit.even(n);
      else emit.odd(String(n));
    },
  }),
);
expectType<Equal<typeof even, PCollection<number>>>(true);
expectType<Equal<typeof odd, PCollection<string>>>(true);

// `local` is what `setup` returns or resolves to.
const withLocal = numbers.apply(
  parDo({
    setup: async () => ({ seen: new Set<number>() }),
    outputs: output<string>(),
    startBundle({ local }) {
      expectType<Equal<typeof local, { seen: Set<number> }>>(true);
      local.seen.clear();
    },
    process(n, { local, emit }) {
      expectType<Equal<typeof local, { seen: Set<number> }>>(true);
      if (!local.seen.has(n)) emit(String(n));
      local.seen.add(n);
    },
    finishBundle({ local, emit }) {
      emit(String(local.seen.size));
    },
    teardown: ({ local }) => local.seen.clear(),
  }),
);
expectType<Equal<typeof withLocal, PCollection<string>>>(true);

numbers.apply(
  parDo({
    outputs: { even: output<number>() },
    process(n, { emit }) {
      // @ts-expect-error no such tag
      emit.odd(n);
      // @ts-expect-error the output is of numbers
      emit.even(String(n));
    },
  }),
);
numbers.apply(
  parDo({
    outputs: output<string>(),
    process(n, { emit }) {
      // @ts-expect-error the output is of strings
      emit(n);
    },
  }),
);
// @ts-expect-error the declared output is of strings
numbers.apply(parDo({ outputs: output<string>(), process: (n) => [n] }));
// @ts-expect-error a ParDo needs `process`
numbers.apply(parDo({ outputs: output<string>() }));
// @ts-expect-error there is no such output
void numbers.apply(parDo({ outputs: { a: output<number>() }, process() {} })).b;
