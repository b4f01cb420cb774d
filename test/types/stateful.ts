// What the type checker says about state and timers.
import {
  bag,
  combining,
  eventTimer,
  mapOf,
  of,
  output,
  processingTimers,
  schema,
  set,
  statefulParDo,
  sumFn,
  value,
  type KV,
  type PCollection,
  type SchemaType,
} from "../../sdk/index.js";
import { expectType, type Equal } from "./equal.js";

declare const words: PCollection<string>;
declare const pairs: PCollection<KV<string, number>>;

const Total = schema.row({ card: schema.string, total: schema.double });
const totals = pairs.apply(
  statefulParDo({
    state: {
      sum: combining(sumFn),
      seen: set(schema.string),
      last: value<Date>(),
      pages: mapOf(schema.string, schema.int64),
      many: bag(schema.string, { large: true }),
    },
    timers: { reset: eventTimer(), tagged: processingTimers() },
    outputs: of(Total),
    process(element, { state, timers, emit, timestamp }) {
      expectType<Equal<typeof element, KV<string, number>>>(true);
      expectType<Equal<ReturnType<typeof state.sum.read>, number>>(true);
      expectType<Equal<ReturnType<typeof state.last.read>, Date | undefined>>(true);
      expectType<Equal<ReturnType<typeof state.pages.get>, bigint | undefined>>(true);
      expectType<Equal<ReturnType<typeof state.many.read>, AsyncIterable<string>>>(true);
      timers.reset.set(timestamp);
      timers.tagged.after("tag", 1);
      emit({ card: element.key, total: 1 });
      // @ts-expect-error a field of another type
      emit({ card: element.key, total: "1" });
      // @ts-expect-error no such cell
      void state.other;
      // @ts-expect-error no such timer
      void timers.other;
      // @ts-expect-error a value of another type
      state.seen.add(1);
      // @ts-expect-error a single timer has no tags
      timers.reset.set("tag", 1);
    },
    onTimer: {
      reset({ key, fireAt }, { state }) {
        expectType<Equal<typeof key, string>>(true);
        expectType<Equal<typeof fireAt, number>>(true);
        state.sum.clear();
      },
      tagged: ({ tag }) => expectType<Equal<typeof tag, string>>(true),
    },
    onWindowExpiration({ key }, context) {
      expectType<Equal<typeof key, string>>(true);
      // @ts-expect-error nothing fires any more
      void context.timers;
    },
  }),
);
expectType<Equal<typeof totals, PCollection<SchemaType<typeof Total>>>>(true);

const tagged = pairs.apply(
  statefulParDo("split", {
    state: { n: value<number>() },
    outputs: { low: output<number>(), high: output<string>() },
    process({ value: n }, { emit }) {
      emit.low(n);
      emit.high("n");
      // @ts-expect-error an element of another type
      emit.high(n);
    },
  }),
);
expectType<Equal<typeof tagged.low, PCollection<number>>>(true);
expectType<Equal<typeof tagged.high, PCollection<string>>>(true);

const yielded = pairs.apply(
  statefulParDo({
    state: { n: value<number>() },
    *process({ key }) {
      yield key;
    },
  }),
);
expectType<Equal<typeof yielded, PCollection<string>>>(true);

words.apply(
  // @ts-expect-error elements without keys
  statefulParDo({ state: { n: value<number>() }, process: (element: KV<string, number>) => void element }),
);
