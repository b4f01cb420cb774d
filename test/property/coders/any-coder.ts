// Coders of any depth, each with values for it: what the laws of coders are checked with.
import fc from "fast-check";
import {
  boolCoder,
  bytesCoder,
  coderOf,
  customWindowCoder,
  doubleCoder,
  globalWindowCoder,
  intervalWindowCoder,
  iterableCoder,
  kvCoder,
  lengthPrefixCoder,
  nullableCoder,
  shardedKeyCoder,
  stateBackedIterableCoder,
  timerCoder,
  utf8Coder,
  ValueCoder,
  varintBigIntCoder,
  varintCoder,
  WindowedValueCoder,
  type Coder,
} from "../../../portability/coders/index.js";
import { schema, type Schema } from "../../../portability/schemas/index.js";
import {
  ElementMeta,
  GLOBAL_WINDOW_MAX_TIMESTAMP,
  GLOBAL_WINDOWS,
  GlobalWindow,
  IntervalWindow,
  kv,
  MAX_TIMESTAMP,
  MIN_TIMESTAMP,
  NO_FIRING,
  ON_TIME_AND_ONLY,
  PaneTiming,
  type PaneInfo,
  type Window,
} from "../../../portability/values/index.js";

export interface CoderCase {
  readonly name: string;
  readonly coder: Coder<unknown>;
  readonly values: fc.Arbitrary<unknown>;
}

/** A coder, some of its values and a context. In a counterexample it shows no more of the coder than its name. */
export class Sample {
  constructor(
    readonly name: string,
    readonly coder: Coder<unknown>,
    readonly values: readonly unknown[],
    readonly nested: boolean,
  ) {}
  [fc.toStringMethod](): string {
    return `${this.name}, ${this.nested ? "nested" : "outermost"}, ${fc.stringify(this.values)}`;
  }
}

const caseOf = (name: string, coder: unknown, values: fc.Arbitrary<unknown>): CoderCase => ({
  name,
  coder: coder as Coder<unknown>,
  values,
});

const plainBytes = fc.uint8Array({ maxLength: 40 }).map((bytes) => new Uint8Array(bytes));
const texts = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.constant("ä".repeat(70)),
);
const safeIntegers = fc.oneof(fc.integer({ min: -3, max: 300 }), fc.maxSafeInteger());
const int64s = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const timestamps = fc.oneof(
  fc.integer({ min: -100_000, max: 2 ** 31 }),
  fc.maxSafeInteger(),
  fc.constantFrom(MIN_TIMESTAMP, MAX_TIMESTAMP, GLOBAL_WINDOW_MAX_TIMESTAMP),
);

const intervals = fc
  .tuple(fc.oneof(fc.integer(), fc.constant(MIN_TIMESTAMP)), fc.oneof(fc.integer(), fc.constant(MAX_TIMESTAMP)))
  .map(([a, b]) => new IntervalWindow(Math.min(a, b), Math.max(a, b)));
const windowCases: CoderCase[] = [
  caseOf("global_window", globalWindowCoder, fc.constant(GlobalWindow.instance)),
  caseOf("interval_window", intervalWindowCoder, intervals),
  caseOf("custom_window", customWindowCoder(intervalWindowCoder), intervals),
];

const panes: fc.Arbitrary<PaneInfo> = fc.oneof(
  fc.constantFrom(NO_FIRING, ON_TIME_AND_ONLY),
  fc.record(
    {
      isFirst: fc.boolean(),
      isLast: fc.boolean(),
      timing: fc.constant(PaneTiming.EARLY),
      index: fc.integer({ min: 1, max: 1000 }),
      nonSpeculativeIndex: fc.constant(-1),
    },
    { noNullPrototype: true },
  ),
  fc.record(
    {
      isFirst: fc.boolean(),
      isLast: fc.boolean(),
      timing: fc.constantFrom(PaneTiming.ON_TIME, PaneTiming.LATE),
      index: fc.nat(1000),
      nonSpeculativeIndex: fc.nat(1000),
    },
    { noNullPrototype: true },
  ),
);

const leaves: CoderCase[] = [
  caseOf("bytes", bytesCoder, plainBytes),
  caseOf("string_utf8", utf8Coder, texts),
  caseOf("bool", boolCoder, fc.boolean()),
  caseOf("varint", varintCoder, safeIntegers),
  caseOf("varint as bigint", varintBigIntCoder, int64s),
  caseOf("double", doubleCoder, fc.double()),
  ...windowCases,
];

/** Plain values of JavaScript: what the default coder takes. */
export const plainValues: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<unknown>(null, undefined, true, false, 0, -0, NaN, Infinity, -Infinity, "", "__proto__", "\ud800", 0n),
    safeIntegers,
    fc.double(),
    fc.bigInt(),
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.array(fc.integer({ min: 0xd7f0, max: 0xe00f }), { maxLength: 4 }).map((units) => String.fromCharCode(...units)),
    fc.date({ noInvalidDate: true }),
    plainBytes,
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom("__proto__", "constructor", "1", "\udc00")), tie("value"), {
      maxKeys: 5,
      noNullPrototype: true,
    }),
    fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => new Set(items)),
  ),
})).value;

/** Types of fields, with values that are not null. */
const fieldTypes: fc.Arbitrary<{ type: Schema<unknown>; values: fc.Arbitrary<unknown> }> = fc.letrec<{
  any: { type: Schema<unknown>; values: fc.Arbitrary<unknown> };
}>((tie) => ({
  any: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom<{ type: Schema<unknown>; values: fc.Arbitrary<unknown> }>(
      { type: schema.byte, values: fc.integer({ min: -128, max: 127 }) },
      { type: schema.int16, values: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }) },
      { type: schema.int32, values: fc.integer() },
      { type: schema.int64, values: int64s },
      { type: schema.float, values: fc.float() },
      { type: schema.double, values: fc.double() },
      { type: schema.string, values: texts },
      { type: schema.boolean, values: fc.boolean() },
      { type: schema.bytes, values: plainBytes },
      { type: schema.millisInstant, values: timestamps },
      { type: schema.date, values: safeIntegers },
      { type: schema.decimal, values: fc.record({ unscaled: fc.bigInt(), scale: fc.integer() }, { noNullPrototype: true }) },
      { type: schema.varChar(300), values: texts },
    ),
    tie("any").map(({ type, values }) => ({
      type: schema.array(schema.nullable(type)),
      values: fc.array(fc.option(values), { maxLength: 4 }),
    })),
    fc.tuple(tie("any"), tie("any")).map(([key, value]) => ({
      type: schema.map(key.type, value.type),
      values: fc.array(fc.tuple(key.values, value.values), { maxLength: 4 }).map((entries) => new Map(entries)),
    })),
    rowsOf(tie("any")),
  ),
})).any;

function rowsOf(types: fc.Arbitrary<{ type: Schema<unknown>; values: fc.Arbitrary<unknown> }>) {
  return fc.array(fc.tuple(types, fc.boolean()), { maxLength: 12 }).map((list) => {
    const entries = list.map(([{ type, values }, nullable], i) => {
      return [`f${i}`, nullable ? schema.nullable(type) : type, nullable ? fc.option(values) : values] as const;
    });
    return {
      type: schema.row(Object.fromEntries(entries.map(([name, type]) => [name, type]))),
      values: fc.record(Object.fromEntries(entries.map(([name, , values]) => [name, values])), { noNullPrototype: true }),
    };
  });
}

/** Any standard coder over any components, two levels deep, with values for it. */
export const anyCoder: fc.Arbitrary<CoderCase> = fc.letrec<{ any: CoderCase }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    { weight: 2, arbitrary: fc.constantFrom(...leaves) },
    fc.constant(caseOf("value", new ValueCoder(), plainValues)),
    fc.tuple(tie("any"), tie("any")).map(([key, value]) => {
      const values = fc.tuple(key.values, value.values).map(([k, v]) => kv(k, v));
      return caseOf(`kv<${key.name}, ${value.name}>`, kvCoder(key.coder, value.coder), values);
    }),
    tie("any").map(({ name, coder, values }) => caseOf(`iterable<${name}>`, iterableCoder(coder), fc.array(values, { maxLength: 5 }))),
    tie("any").map(({ name, coder, values }) =>
      caseOf(`state_backed_iterable<${name}>`, stateBackedIterableCoder(coder), fc.array(values, { maxLength: 5 })),
    ),
    tie("any").map(({ name, coder, values }) => caseOf(`length_prefix<${name}>`, lengthPrefixCoder(coder), values)),
    tie("any").map(({ name, coder, values }) => {
      // Null and undefined are one value where null is one already.
      const present = values.filter((value) => value !== null && value !== undefined);
      return caseOf(`nullable<${name}>`, nullableCoder(coder), fc.option(present));
    }),
    tie("any").map(({ name, coder, values }) =>
      caseOf(`sharded_key<${name}>`, shardedKeyCoder(coder), fc.record({ shardId: plainBytes, key: values }, { noNullPrototype: true })),
    ),
    fc.tuple(tie("any"), fc.constantFrom(...windowCases)).map(([{ name, coder, values }, window]) => {
      const windows =
        window.coder === globalWindowCoder
          ? fc.constant(GLOBAL_WINDOWS)
          : fc.array(window.values as fc.Arbitrary<Window>, { minLength: 1, maxLength: 3 });
      const metas = fc.tuple(timestamps, windows, panes).map(([timestamp, in_, pane]) => new ElementMeta(timestamp, in_, pane));
      return caseOf(
        `windowed_value<${name}, ${window.name}>`,
        new WindowedValueCoder(coder, window.coder as Coder<Window>),
        fc.record({ value: values, meta: metas }, { noNullPrototype: true }),
      );
    }),
    fc.tuple(tie("any"), fc.constantFrom(...windowCases)).map(([{ name, coder, values }, window]) => {
      const timer = { key: values, tag: texts, windows: fc.array(window.values, { minLength: 1, maxLength: 2 }) };
      const set = { ...timer, cleared: fc.constant(false), fireTimestamp: timestamps, holdTimestamp: timestamps, pane: panes };
      return caseOf(
        `timer<${name}, ${window.name}>`,
        timerCoder(coder, window.coder as Coder<Window>),
        fc.oneof(fc.record(set, { noNullPrototype: true }), fc.record({ ...timer, cleared: fc.constant(true) }, { noNullPrototype: true })),
      );
    }),
    rowsOf(fieldTypes).map(({ type, values }) => caseOf("row", coderOf(type), values)),
  ),
})).any;

export const samples: fc.Arbitrary<Sample> = anyCoder.chain(({ name, coder, values }) =>
  fc.tuple(fc.array(values, { minLength: 1, maxLength: 3 }), fc.boolean()).map(([some, nested]) => new Sample(name, coder, some, nested)),
);
