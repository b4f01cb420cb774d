import assert from "node:assert/strict";
import { ByteWriter, intervalWindowCoder } from "../../../../portability/coders/index.js";
import type { beam } from "../../../../portability/protos/index.js";
import type { StageContext, StageDescriptor } from "../../../../portability/stage-host/index.js";
import { IntervalWindow, kv, type Window } from "../../../../portability/values/index.js";
import { SideInputState } from "../../../../runner/bundles/side-input-state.js";

const text = (value: string): Uint8Array => Buffer.from([value.length, ...Buffer.from(value)]);
const first = new IntervalWindow(0, 1000);
const bytesOf = (window: IntervalWindow): Uint8Array => {
  const writer = new ByteWriter();
  intervalWindowCoder.encode(window, writer, true);
  return writer.toBytes();
};

const stage: StageDescriptor = {
  id: "s",
  environmentId: "e",
  inputs: ["in"],
  sideInputs: ["pairs"],
  outputs: [],
  transformIds: ["look up"],
  components: {
    transforms: { "look up": { inputs: { main: "in", weights: "pairs" } } },
    pcollections: { pairs: { coderId: "pair", windowingStrategyId: "windows" } },
    windowingStrategies: { windows: { windowCoderId: "window" } },
    coders: {
      window: { spec: { urn: "beam:coder:interval_window:v1" } },
      string: { spec: { urn: "beam:coder:string_utf8:v1" } },
      pair: { spec: { urn: "beam:coder:kv:v1" }, componentCoderIds: ["string", "string"] },
    },
  },
};
const PAIRS = [kv(text("a"), text("1")), kv(text("b"), text("2")), kv(text("a"), text("3"))];

function stateOf(pageBytes?: number): SideInputState {
  const sideInput = { values: (window: Window) => (window.maxTimestamp === first.maxTimestamp ? PAIRS : []) };
  const context: StageContext = {
    outputs: new Map(),
    sideInputs: new Map([["pairs", sideInput]]),
    shouldPause: () => false,
    resume: () => Promise.resolve(),
  };
  return new SideInputState(stage, context, pageBytes);
}

const place = { transformId: "look up", sideInputId: "weights" };

/** All pages, as text of the data of each. */
function readAll(state: SideInputState, stateKey: beam.fn.IStateKey): string[] {
  const pages: string[] = [];
  let continuationToken: Uint8Array | undefined;
  do {
    const { get } = state.answer({ stateKey, get: { continuationToken } });
    pages.push(Buffer.from(get!.data!).toString("latin1").replaceAll("\x01", "|"));
    continuationToken = get!.continuationToken ?? undefined;
  } while (continuationToken?.length);
  return pages;
}

describe("SideInputState", () => {
  it("gives all elements of a window", () => {
    assert.deepEqual(readAll(stateOf(), { iterableSideInput: { ...place, window: bytesOf(first) } }), ["|a|1|b|2|a|3"]);
  });

  it("gives the values of a key, and each key once", () => {
    const window = bytesOf(first);
    assert.deepEqual(readAll(stateOf(), { multimapSideInput: { ...place, window, key: text("a") } }), ["|1|3"]);
    assert.deepEqual(readAll(stateOf(), { multimapKeysSideInput: { ...place, window } }), ["|a|b"]);
  });

  it("gives nothing for a window or a key that has nothing", () => {
    const other = bytesOf(new IntervalWindow(1000, 2000));
    assert.deepEqual(readAll(stateOf(), { iterableSideInput: { ...place, window: other } }), [""]);
    assert.deepEqual(readAll(stateOf(), { multimapKeysSideInput: { ...place, window: other } }), [""]);
    assert.deepEqual(readAll(stateOf(), { multimapSideInput: { ...place, window: bytesOf(first), key: text("z") } }), [""]);
  });

  it("cuts pages between elements, and gives a page again for its token", () => {
    const state = stateOf(1);
    const stateKey = { iterableSideInput: { ...place, window: bytesOf(first) } };
    assert.deepEqual(readAll(state, stateKey), ["|a|1", "|b|2", "|a|3"]);
    const { continuationToken } = state.answer({ stateKey, get: {} }).get!;
    const again = (): unknown => state.answer({ stateKey, get: { continuationToken } }).get;
    assert.deepEqual(again(), again());
  });

  it("refuses tokens of others, writes, and side inputs that the stage does not have", () => {
    const iterableSideInput = { ...place, window: bytesOf(first) };
    const continuationToken = Buffer.from("99");
    assert.throws(() => stateOf().answer({ stateKey: { iterableSideInput }, get: { continuationToken } }), { code: "INVALID_ARGUMENT" });
    assert.throws(() => stateOf().answer({ stateKey: { iterableSideInput }, clear: {} }), { code: "INVALID_ARGUMENT" });
    const unknown = { ...iterableSideInput, sideInputId: "other" };
    assert.throws(() => stateOf().answer({ stateKey: { iterableSideInput: unknown }, get: {} }), { code: "NOT_FOUND" });
    assert.throws(() => stateOf().answer({ stateKey: { bagUserState: {} }, get: {} }), { code: "UNIMPLEMENTED" });
  });

  it("writes what a grouping has made as an iterable", () => {
    const grouped = [kv(text("a"), [text("1"), text("2")])];
    const context = { outputs: new Map(), sideInputs: new Map([["pairs", { values: () => grouped }]]) } as unknown as StageContext;
    const coders = {
      ...stage.components.coders,
      values: { spec: { urn: "beam:coder:iterable:v1" }, componentCoderIds: ["string"] },
      pair: { spec: { urn: "beam:coder:kv:v1" }, componentCoderIds: ["string", "values"] },
    };
    const state = new SideInputState({ ...stage, components: { ...stage.components, coders } }, context);
    const window = bytesOf(first);
    const list = "\0\0\0\x02|1|2";
    assert.deepEqual(readAll(state, { iterableSideInput: { ...place, window } }), [`|a${list}`]);
    assert.deepEqual(readAll(state, { multimapSideInput: { ...place, window, key: text("a") } }), [list]);
  });
});
