// What surrounds an element on the wire: windows, panes, timestamps, timers.
import assert from "node:assert/strict";
import {
  ByteReader,
  ByteWriter,
  CoderRegistry,
  customWindowCoder,
  decodePane,
  encodePane,
  globalWindowCoder,
  intervalWindowCoder,
  opaqueWindowCoder,
  lengthPrefixCoder,
  bytesCoder,
  ParamWindowedValueCoder,
  timerCoder,
  utf8Coder,
  varintCoder,
  WindowedValueCoder,
  type Coder,
  type TimerValue,
} from "../../../../portability/coders/index.js";
import {
  ElementMeta,
  GLOBAL_WINDOWS,
  GlobalWindow,
  IMPULSE_META,
  IntervalWindow,
  MAX_TIMESTAMP,
  MIN_TIMESTAMP,
  GLOBAL_WINDOW_MAX_TIMESTAMP,
  NO_FIRING,
  ON_TIME_AND_ONLY,
  OpaqueWindow,
  PaneTiming,
  type PaneInfo,
  type Window,
} from "../../../../portability/values/index.js";
import { assertCoding, assertUndecodable, assertUnencodable, decode, encode, fromHex, hexOf } from "../../../support/coding.js";

const pane = (isFirst: boolean, isLast: boolean, timing: PaneTiming, index: number, nonSpeculativeIndex: number): PaneInfo => ({
  isFirst,
  isLast,
  timing,
  index,
  nonSpeculativeIndex,
});
const { EARLY, ON_TIME, LATE, UNKNOWN } = PaneTiming;
const asWindow = (coder: unknown): Coder<Window> => coder as Coder<Window>;

describe("panes", () => {
  const bytesOf = (info: PaneInfo): string => {
    const writer = new ByteWriter();
    encodePane(info, writer);
    return Buffer.from(writer.toBytes()).toString("hex");
  };
  const panes: [string, PaneInfo, string][] = [
    ["no firing", pane(true, true, UNKNOWN, 0, 0), "0f"],
    ["on time and only", pane(true, true, ON_TIME, 0, 0), "07"],
    ["on time, first", pane(true, false, ON_TIME, 0, 0), "05"],
    ["first early one", pane(true, false, EARLY, 0, -1), "1100"],
    ["third early one", pane(false, false, EARLY, 2, -1), "1002"],
    ["equal indices", pane(false, false, ON_TIME, 7, 7), "1407"],
    ["late and last, 5 and 2", pane(false, true, LATE, 5, 2), "2a0502"],
    ["on time and last, 30 and 40", pane(false, true, ON_TIME, 30, 40), "261e28"],
    ["on time after 300 early ones", pane(false, false, ON_TIME, 300, 0), "24ac0200"],
  ];
  for (const [name, info, hex] of panes)
    it(`${name}: ${hex}`, () => {
      assert.equal(bytesOf(info), hex);
      assert.deepEqual(decodePane(new ByteReader(fromHex(hex))), info);
    });

  it("share the common ones", () => {
    assert.equal(decodePane(new ByteReader(fromHex("0f"))), NO_FIRING);
    assert.equal(decodePane(new ByteReader(fromHex("07"))), ON_TIME_AND_ONLY);
  });

  it("skip element metadata", () => {
    const reader = new ByteReader(fromHex("8f 03 010203 aa"));
    assert.equal(decodePane(reader), NO_FIRING);
    assert.equal(reader.readByte(), 0xaa);
    assert.throws(() => decodePane(new ByteReader(fromHex("8f 03 0102"))), /length 3 is beyond the end of the input/);
  });

  it("refuse an encoding that is not known", () => {
    for (const hex of ["30", "40", "70"]) assert.throws(() => decodePane(new ByteReader(fromHex(hex))), /pane encoding \d is not known/);
  });
});

describe("window coders", () => {
  it("write an interval as its end and its span", () => {
    assertCoding(intervalWindowCoder, new IntervalWindow(0, 1000), "80000000000003e8 e807");
    assertCoding(intervalWindowCoder, new IntervalWindow(-1, 0), "8000000000000000 01");
    assertCoding(intervalWindowCoder, new IntervalWindow(5, 5), "8000000000000005 00");
  });

  it("keep Beam's extremes as starts and ends", () => {
    for (const [start, end] of [
      [MIN_TIMESTAMP, 0],
      [0, MAX_TIMESTAMP],
      [MIN_TIMESTAMP, MAX_TIMESTAMP],
      [0, GLOBAL_WINDOW_MAX_TIMESTAMP],
    ]) {
      const window = new IntervalWindow(start, end);
      for (const coder of [intervalWindowCoder, customWindowCoder(intervalWindowCoder)])
        assert.deepEqual(decode(coder, encode(coder, window)), window);
    }
    const hex = hexOf(customWindowCoder(intervalWindowCoder), new IntervalWindow(MIN_TIMESTAMP, MAX_TIMESTAMP));
    assert.equal(hex.slice(0, 32), "8020c49ba5e353f6" + "8020c49ba5e353f7", "end − 1 is exact");
  });

  it("refuse an interval that ends before it starts", () => {
    assertUnencodable(intervalWindowCoder, new IntervalWindow(1, 0), /cannot end before it starts/);
    assertUndecodable(intervalWindowCoder, "8000000000000000 ffffffffffffffffff01", /a window of -1 ms/);
    assertUnencodable(intervalWindowCoder, GlobalWindow.instance, /expected an interval window, got an object of class GlobalWindow/);
  });

  it("put the greatest timestamp before a custom window, and check it", () => {
    const coder = customWindowCoder(intervalWindowCoder);
    assertCoding(coder, new IntervalWindow(0, 1000), "80000000000003e7 80000000000003e8 e807");
    assertUndecodable(coder, "80000000000003e6 80000000000003e8 e807", /does not end where its prefix says/);
  });

  it("keep the bytes of windows that they know nothing about", () => {
    for (const inner of [lengthPrefixCoder(bytesCoder), bytesCoder]) {
      const coder = opaqueWindowCoder(inner as Coder<unknown>);
      assertCoding(coder, new OpaqueWindow(999, Uint8Array.of(1, 2, 3)), "80000000000003e7 03 010203");
    }
  });
});

describe("windowed value coder", () => {
  const coder = () => new WindowedValueCoder(utf8Coder, asWindow(globalWindowCoder));

  it("writes the impulse element as Beam does", () => {
    const impulse = new WindowedValueCoder(bytesCoder, asWindow(globalWindowCoder));
    const value = { value: new Uint8Array(), meta: IMPULSE_META };
    assert.equal(hexOf(impulse, value), "7fdf3b645a1cac09" + "00000001" + "0f" + "00");
    assert.equal(hexOf(impulse, value, false), "7fdf3b645a1cac09" + "00000001" + "0f");
  });

  it("shares the windows, and the meta while it stays the same", () => {
    const shared = coder();
    const meta = new ElementMeta(5, GLOBAL_WINDOWS, NO_FIRING);
    const bytes = Buffer.concat([encode(shared, { value: "a", meta }), encode(shared, { value: "b", meta })]);
    const reader = new ByteReader(bytes);
    const [a, b] = [shared.decode(reader, true), shared.decode(reader, true)];
    assert.equal(a.meta.windows, GLOBAL_WINDOWS);
    assert.equal(a.meta, b.meta);
    assert.deepEqual([a.value, b.value, a.meta.timestamp], ["a", "b", 5]);
  });

  it("keeps windows and panes apart that follow each other in any order", () => {
    const windows = new WindowedValueCoder(varintCoder, asWindow(intervalWindowCoder));
    const [w1, w2] = [new IntervalWindow(0, 10), new IntervalWindow(10, 20)];
    const metas = [
      new ElementMeta(1, [w1], NO_FIRING),
      new ElementMeta(1, [w1], ON_TIME_AND_ONLY),
      new ElementMeta(1, [w2], ON_TIME_AND_ONLY),
      new ElementMeta(2, [w1, w2], ON_TIME_AND_ONLY),
      new ElementMeta(3, [w2, w1], ON_TIME_AND_ONLY),
      new ElementMeta(3, [w2], pane(false, false, LATE, 3, 2)),
      new ElementMeta(3, [new IntervalWindow(10, 20)], pane(false, false, LATE, 3, 2)),
      new ElementMeta(1, [w1], NO_FIRING),
    ];
    const bytes = Buffer.concat(metas.map((meta, i) => encode(windows, { value: i, meta })));
    const alone = Buffer.concat(
      metas.map((meta, i) => encode(new WindowedValueCoder(varintCoder, asWindow(intervalWindowCoder)), { value: i, meta })),
    );
    assert.deepEqual(bytes, alone, "what came before does not show in the bytes");
    const reader = new ByteReader(bytes);
    metas.forEach((meta, value) => assert.deepEqual(windows.decode(reader, true), { value, meta }));
  });

  it("skips element metadata, also when it comes again", () => {
    const shared = coder();
    const one = "8000000000000005 00000001 8f 02 1234 01 61";
    const reader = new ByteReader(fromHex(one + one));
    for (let i = 0; i < 2; i++)
      assert.deepEqual(shared.decode(reader, true), { value: "a", meta: new ElementMeta(5, GLOBAL_WINDOWS, NO_FIRING) });
    assert.equal(reader.remaining, 0);
  });

  it("refuses an element without windows, and counts that nothing justifies", () => {
    assertUnencodable(coder(), { value: "a", meta: new ElementMeta(5, [], NO_FIRING) }, /in a window at least/);
    assertUndecodable(coder(), "8000000000000005 00000000 0f 01 61", /an element is in 0 windows/);
    assertUndecodable(coder(), "8000000000000005 ffffffff 0f 01 61", /an element is in -1 windows/);
    assertUndecodable(coder(), "8000000000000005 7fffffff 0f 01 61", /elements without bytes/);
  });

  it("takes timestamp, windows and pane from the payload where it has one", () => {
    const meta = new ElementMeta(7, GLOBAL_WINDOWS, pane(false, true, LATE, 5, 2));
    const made = new ParamWindowedValueCoder(utf8Coder, asWindow(globalWindowCoder), meta);
    assert.equal(Buffer.from(made.payload).toString("hex"), "8000000000000007" + "00000001" + "2a0502");
    const read = ParamWindowedValueCoder.fromPayload(utf8Coder, asWindow(globalWindowCoder), made.payload);
    assert.equal(hexOf(read, { value: "é", meta: IMPULSE_META }), "02c3a9");
    assert.deepEqual(decode(read, "c3a9", false), { value: "é", meta });
  });
});

describe("timer coder", () => {
  const coder = timerCoder(utf8Coder, asWindow(globalWindowCoder));

  it("ends behind the clear byte of a cleared timer", () => {
    const cleared: TimerValue<string> = { key: "k", tag: "", windows: GLOBAL_WINDOWS, cleared: true };
    assertCoding(coder, cleared, "01 6b 00 00000001 01");
  });

  it("has instants and pane of a set timer", () => {
    const set: TimerValue<string> = {
      ...{ key: "k", tag: "t", windows: GLOBAL_WINDOWS, cleared: false },
      ...{ fireTimestamp: 1, holdTimestamp: MIN_TIMESTAMP, pane: pane(true, false, EARLY, 0, -1) },
    };
    assertCoding(coder, set, "01 6b 01 74 00000001 00 8000000000000001 7fdf3b645a1cac09 1100");
    assertUndecodable(coder, "01 6b 01 74 00000001 02", /expected 0 or 1 for a cleared timer, got 2/);
    assertUnencodable(coder, null, /expected a timer/);
  });
});

describe("coder registry", () => {
  const registry = new CoderRegistry();
  it("says what is wrong with coders that it cannot build", () => {
    const coders = {
      self: { spec: { urn: "beam:coder:nullable:v1" }, componentCoderIds: ["self"] },
      kv: { spec: { urn: "beam:coder:kv:v1" }, componentCoderIds: ["text"] },
      text: { spec: { urn: "beam:coder:string_utf8:v1" } },
      mine: { spec: { urn: "my:coder" } },
      none: {},
      row: { spec: { urn: "beam:coder:row:v1", payload: fromHex("ff") } },
    };
    assert.throws(() => registry.fromProto("self", coders), /coder "self" contains itself/);
    assert.throws(() => registry.fromProto("kv", coders), /has 1 components instead of 2/);
    assert.throws(() => registry.fromProto("mine", coders), /coder "mine" has the URN my:coder, which is not known/);
    assert.throws(() => registry.fromProto("none", coders), /has the URN \(none\)/);
    assert.throws(() => registry.fromProto("toString", coders), /there is no coder "toString"/);
    assert.throws(() => registry.fromProto("row", coders), /the payload of a coder is not a Schema/);
  });

  it("builds registered coders, and one of a component that several share", () => {
    const own = new CoderRegistry();
    own.register("my:coder", ([inner]) => inner);
    const coder = own.fromProto("kv", {
      kv: { spec: { urn: "beam:coder:kv:v1" }, componentCoderIds: ["mine", "mine"] },
      mine: { spec: { urn: "my:coder" }, componentCoderIds: ["text"] },
      text: { spec: { urn: "beam:coder:string_utf8:v1" } },
    });
    assert.deepEqual(decode(coder, "01 61 62", false), { key: "a", value: "b" });
    assert.ok(own.knows("my:coder"));
    assert.ok(!registry.knows("my:coder"));
  });
});
