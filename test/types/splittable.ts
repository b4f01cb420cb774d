// What `splittableParDo` must infer and refuse.
import {
  asSingleton,
  manualWatermark,
  offsetRange,
  output,
  splittableParDo,
  type ManualWatermark,
  type OffsetRange,
  type PCollection,
  type PTransform,
  type RestrictionTracker,
} from "../../sdk/index.js";
import { expectType, type Equal } from "./equal.js";

declare const files: PCollection<{ readonly size: number }>;
declare const limits: PCollection<number>;

// The element comes from the PCollection, the restriction from what makes it, the output from what `process` yields.
const blocks = files.apply(
  splittableParDo({
    restriction: (file) => offsetRange(0, file.size),
    *process(file, { range, resume, now }) {
      expectType<Equal<typeof file, { readonly size: number }>>(true);
      expectType<Equal<typeof range.start, number>>(true);
      expectType<Equal<typeof range.restriction, OffsetRange>>(true);
      if (range.tryClaim(range.start)) yield `${file.size} ${now()}`;
      resume(10);
    },
  }),
);
expectType<Equal<typeof blocks, PCollection<string>>>(true);

// Without a PCollection to read from, the element comes from the first function that names it.
const count = splittableParDo("count", {
  restriction: (n: number) => offsetRange(0, n),
  *process(n, { range }) {
    expectType<Equal<typeof n, number>>(true);
    for (let i = range.start; range.tryClaim(i); i++) yield i;
  },
});
expectType<Equal<typeof count, PTransform<PCollection<number>, PCollection<number>>>>(true);

const later = files.apply(
  splittableParDo({
    restriction: (file) => Promise.resolve(offsetRange(0, file.size)),
    async *process(_file, { range }) {
      await Promise.resolve();
      if (range.tryClaim(range.end)) yield 1;
    },
  }),
);
expectType<Equal<typeof later, PCollection<number>>>(true);

// Side inputs, the watermark and tagged outputs.
const { small, large } = files.apply(
  splittableParDo("sizes", {
    outputs: { small: output<number>(), large: output<string>() },
    with: { limit: asSingleton(limits) },
    watermark: manualWatermark(),
    setup: () => "local",
    restriction: (file, { limit, timestamp }) => offsetRange(0, Math.min(limit, file.size) + timestamp),
    process(file, { range, emit, watermark, limit, local }) {
      expectType<Equal<typeof watermark, ManualWatermark>>(true);
      expectType<Equal<typeof limit, number>>(true);
      expectType<Equal<typeof local, string>>(true);
      range.tryClaim(0);
      watermark.set(1);
      if (file.size < limit) emit.small(1);
      else emit.large("1");
    },
  }),
);
expectType<Equal<typeof small, PCollection<number>>>(true);
expectType<Equal<typeof large, PCollection<string>>>(true);

// A tracker says what positions are.
declare function trackerOf(pages: readonly string[]): RestrictionTracker<readonly string[], string>;
const pages = files.apply(
  splittableParDo({
    restriction: (): readonly string[] => ["a"],
    tracker: (restriction) => trackerOf(restriction),
    process(_file, { range, emit }) {
      expectType<Equal<typeof range.restriction, readonly string[]>>(true);
      // @ts-expect-error: positions are texts
      range.tryClaim(1);
      if (range.tryClaim("a")) emit("a");
    },
    outputs: output<string>(),
  }),
);
expectType<Equal<typeof pages, PCollection<string>>>(true);

// @ts-expect-error: without a restriction there is nothing to divide
files.apply(splittableParDo({ process() {} }));
