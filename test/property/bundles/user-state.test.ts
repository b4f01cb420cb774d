// State over the state service against plain maps: any key and window in any order, by pages, in bundles of which some fail, with and without memory.
import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteReader, ByteWriter, intervalWindowCoder, type Coder } from "../../../portability/coders/index.js";
import { beam, toInt64 } from "../../../portability/protos/index.js";
import type { StageDescriptor } from "../../../portability/stage-host/index.js";
import { USER_STATE } from "../../../portability/urns/index.js";
import { IntervalWindow, type Window } from "../../../portability/values/index.js";
import { StatefulTransform } from "../../../runner/bundles/stateful-transform.js";
import { rawCoder } from "../../../runner/bundles/raw-coder.js";
import { UserState } from "../../../runner/bundles/user-state.js";
import { readKeyedSpec, rawCellCoders } from "../../../runner/job/read-keyed-spec.js";
import { KeyedStore } from "../../../runner/keyed/index.js";
import { keySpaceOf } from "../../../runner/store/index.js";
import { EvictionFolder } from "../../support/evicting.js";

const bytes = rawCoder("bytes", { bytes: { spec: { urn: "beam:coder:bytes:v1" } } });
const payload = beam.pipeline.ParDoPayload.encode({
  stateSpecs: {
    bag: { readModifyWriteSpec: { coderId: "string" }, protocol: { urn: USER_STATE.BAG } },
    map: { multimapSpec: { keyCoderId: "string", valueCoderId: "string" }, protocol: { urn: USER_STATE.MULTIMAP } },
    list: { orderedListSpec: { elementCoderId: "string" }, protocol: { urn: USER_STATE.ORDERED_LIST } },
  },
}).finish();
const stage: StageDescriptor = {
  id: "s",
  environmentId: "e",
  inputs: ["in"],
  sideInputs: [],
  outputs: [],
  transformIds: ["stateful"],
  components: {
    transforms: { stateful: { uniqueName: "stateful", spec: { urn: "beam:transform:pardo:v1", payload }, inputs: { main: "in" } } },
    pcollections: { in: { coderId: "string", windowingStrategyId: "windows" } },
    windowingStrategies: { windows: { windowCoderId: "window" } },
    coders: {
      window: { spec: { urn: "beam:coder:interval_window:v1" } },
      string: { spec: { urn: "beam:coder:string_utf8:v1" } },
    },
  },
};

const encoded = (write: (writer: ByteWriter) => void): Uint8Array => {
  const writer = new ByteWriter();
  write(writer);
  return writer.toBytes();
};
const text = (value: string): Uint8Array => encoded((writer) => writer.writeUtf8(value));
const windows = [new IntervalWindow(0, 10), new IntervalWindow(10, 20)].map((window) =>
  encoded((writer) => intervalWindowCoder.encode(window, writer, true)),
);
const entry = ([at, value]: readonly [number, string]): Uint8Array =>
  encoded((writer) => {
    writer.writeVarint(at);
    writer.writeUtf8(value);
  });

function openStore(): KeyedStore {
  const head = {
    kind: "keyed",
    transformId: "stateful",
    transformName: "stateful",
    windowingStrategyId: "windows",
    coderId: "string",
    output: "in",
  } as const;
  return new KeyedStore(
    readKeyedSpec(head, stage.components, keySpaceOf(bytes), () => bytes, true),
    () => 0,
  );
}

/** What a key has in a window. */
interface Model {
  bag: string[];
  map: Map<string, string[]>;
  list: (readonly [number, string])[];
}
const emptyModel = (): Model => ({ bag: [], map: new Map(), list: [] });
const copyOf = ({ bag, map, list }: Model): Model => ({
  bag: [...bag],
  map: new Map([...map].map(([key, values]) => [key, [...values]])),
  list: [...list],
});

interface Request {
  readonly text: string;
  readonly kind: (place: object) => beam.fn.IStateKey;
  readonly verb: Pick<beam.fn.IStateRequest, "append" | "clear">;
  apply(model: Model): void;
}

const word = fc.string({ maxLength: 4, unit: "grapheme-ascii" });
const mapKey = fc.constantFrom("x", "y", "z");
const sortKey = fc.integer({ min: -3, max: 12 });
const range = (start: number, end: number): beam.fn.IOrderedListRange => ({ start: toInt64(start), end: toInt64(end) });
const bagKey = (place: object): beam.fn.IStateKey => ({ bagUserState: { ...place, userStateId: "bag" } });
const mapsKey = (key: string) => (place: object) => ({ multimapUserState: { ...place, userStateId: "map", mapKey: text(key) } });
const listKey = (own?: beam.fn.IOrderedListRange) => (place: object) => ({
  orderedListUserState: { ...place, userStateId: "list", range: own },
});
const all = range(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);

const requests: fc.Arbitrary<Request> = fc.oneof(
  fc.array(word, { minLength: 1, maxLength: 3 }).map((values) => ({
    text: `bag+${values.join()}`,
    kind: bagKey,
    verb: { append: { data: Buffer.concat(values.map(text)) } },
    apply: (model: Model) => void model.bag.push(...values),
  })),
  fc.constant({ text: "bag.clear", kind: bagKey, verb: { clear: {} }, apply: (model: Model) => void (model.bag = []) }),
  fc.tuple(mapKey, fc.array(word, { minLength: 1, maxLength: 3 })).map(([key, values]) => ({
    text: `map.${key}+${values.join()}`,
    kind: mapsKey(key),
    verb: { append: { data: Buffer.concat(values.map(text)) } },
    apply: (model: Model) => void model.map.set(key, [...(model.map.get(key) ?? []), ...values]),
  })),
  mapKey.map((key) => ({
    text: `map-${key}`,
    kind: mapsKey(key),
    verb: { clear: {} },
    apply: (model: Model) => void model.map.delete(key),
  })),
  fc.constant({
    text: "map.clear",
    kind: (place: object) => ({ multimapKeysUserState: { ...place, userStateId: "map" } }),
    verb: { clear: {} },
    apply: (model: Model) => model.map.clear(),
  }),
  fc.array(fc.tuple(sortKey, word), { minLength: 1, maxLength: 3 }).map((entries) => ({
    text: `list+${entries.join(" ")}`,
    kind: listKey(),
    verb: { append: { data: Buffer.concat(entries.map(entry)) } },
    apply: (model: Model) => {
      model.list.push(...entries);
      model.list.sort(([a], [b]) => a - b);
    },
  })),
  fc.tuple(sortKey, sortKey).map(([from, to]) => ({
    text: `list-[${from},${to})`,
    kind: listKey(range(from, to)),
    verb: { clear: {} },
    apply: (model: Model) => void (model.list = model.list.filter(([at]) => at < from || at >= to)),
  })),
);
const places = fc.record({ key: fc.constantFrom("k", "l", "m"), window: fc.constantFrom(0, 1) });
const step = fc
  .tuple(places, requests)
  .map(([place, request]) => ({ place, request, toString: () => `${place.key}/${place.window} ${request.text}` }));
const bundles = fc.array(fc.record({ steps: fc.array(step, { maxLength: 12 }), fails: fc.boolean() }), { maxLength: 8 });

const stateKeyOf = ({ kind }: Pick<Request, "kind">, { key, window }: { key: string; window: number }): beam.fn.IStateKey =>
  kind({ transformId: "stateful", window: windows[window], key: text(key) });

/** All pages as one. */
function readAll(state: UserState, stateKey: beam.fn.IStateKey): Buffer {
  const pages: Uint8Array[] = [];
  let continuationToken: Uint8Array | undefined;
  do {
    const { get } = state.answer({ stateKey, get: { continuationToken } })!;
    pages.push(get!.data!);
    continuationToken = get!.continuationToken ?? undefined;
  } while (continuationToken?.length);
  return Buffer.concat(pages);
}

function check(state: UserState, models: ReadonlyMap<string, Model>): void {
  for (const [at, model] of models) {
    const [key, window] = at.split("/");
    const read = (kind: Request["kind"]): Buffer => readAll(state, stateKeyOf({ kind }, { key, window: Number(window) }));
    assert.deepEqual(read(bagKey), Buffer.concat(model.bag.map(text)));
    assert.deepEqual(read(listKey(all)), Buffer.concat(model.list.map(entry)));
    assert.deepEqual(read(listKey(range(2, 7))), Buffer.concat(model.list.filter(([own]) => own >= 2 && own < 7).map(entry)));
    for (const own of ["x", "y", "z"]) assert.deepEqual(read(mapsKey(own)), Buffer.concat((model.map.get(own) ?? []).map(text)));
    const keys = new ByteReader(read((place) => ({ multimapKeysUserState: { ...place, userStateId: "map" } })));
    const found = new Set<string>();
    while (keys.remaining > 0) found.add(keys.readText(keys.readLength()));
    assert.deepEqual(found, new Set(model.map.keys()));
    const entries = new ByteReader(read((place) => ({ multimapEntriesUserState: { ...place, userStateId: "map" } })));
    const pairs = new Map<string, string[]>();
    while (entries.remaining > 0) {
      const own = entries.readText(entries.readLength());
      pairs.set(
        own,
        Array.from({ length: entries.readInt32() }, () => entries.readText(entries.readLength())),
      );
    }
    assert.deepEqual(pairs, model.map);
  }
}

describe("UserState", () => {
  const folders: EvictionFolder[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) folder.remove();
  });

  for (const [where, evicts] of [
    ["in memory", false],
    ["with next to no memory", true],
  ] as const)
    it(`is what plain maps are, ${where}`, () => {
      fc.assert(
        fc.property(bundles, fc.constantFrom(1, 8, 1 << 20), (script, pageBytes) => {
          const store = openStore();
          if (evicts) {
            const folder = new EvictionFolder();
            folders.push(folder);
            const coders = { key: bytes, window: intervalWindowCoder as Coder<Window>, element: bytes, cells: rawCellCoders(store.spec) };
            folder.attach(store, coders);
          }
          const state = new UserState(stage, StatefulTransform.of(stage)!, store, pageBytes);
          const models = new Map<string, Model>();
          for (const { steps, fails } of script) {
            const before = new Map([...models].map(([at, model]) => [at, copyOf(model)]));
            for (const { place, request } of steps) {
              const at = `${place.key}/${place.window}`;
              if (!models.has(at)) models.set(at, emptyModel());
              if (!before.has(at)) before.set(at, emptyModel());
              state.answer({ stateKey: stateKeyOf(request, place), ...request.verb });
              request.apply(models.get(at)!);
            }
            check(state, models);
            if (fails) {
              store.rollback();
              for (const [at, model] of before) models.set(at, model);
            } else store.commit();
            check(state, models);
            store.commit(); // reading leaves nothing
            const full = [...models.values()].filter(({ bag, map, list }) => bag.length + map.size + list.length > 0);
            assert.equal(store.size.records, full.length);
          }
        }),
        { numRuns: evicts ? 60 : 300 },
      );
    });

  it("drops what is written to a window that has expired, and finds it empty", () => {
    const store = openStore();
    store.inputWatermark = 10;
    const state = new UserState(stage, StatefulTransform.of(stage)!, store);
    const stateKey = stateKeyOf({ kind: bagKey }, { key: "k", window: 0 });
    state.answer({ stateKey, append: { data: text("a") } });
    assert.equal(readAll(state, stateKey).length, 0);
    assert.equal(store.size.records, 0);
  });

  it("refuses sort keys beyond 53 bits, other transforms, and tokens of others", () => {
    const state = new UserState(stage, StatefulTransform.of(stage)!, openStore());
    const far = encoded((writer) => {
      writer.writeBytes(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f));
      writer.writeUtf8("v");
    });
    assert.throws(
      () => state.answer({ stateKey: stateKeyOf({ kind: listKey() }, { key: "k", window: 0 }), append: { data: far } }),
      /53 bits/,
    );
    assert.throws(
      () => state.answer({ stateKey: { bagUserState: { transformId: "other", userStateId: "bag" } }, get: {} }),
      /has no state/,
    );
    const stateKey = stateKeyOf({ kind: bagKey }, { key: "k", window: 0 });
    assert.throws(() => state.answer({ stateKey, get: { continuationToken: Buffer.from("-1") } }), /token/);
  });
});
