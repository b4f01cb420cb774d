// State of keys and windows against plain maps, in bundles of which some fail; in memory, and with next to none of it.
import assert from "node:assert/strict";
import fc from "fast-check";
import { intervalWindowCoder, utf8Coder, varintCoder, type Coder } from "../../../portability/coders/index.js";
import { IntervalWindow, type Window } from "../../../portability/values/index.js";
import { KeyedStore, type KeyedCoders } from "../../../runner/keyed/index.js";
import { keySpaceOf } from "../../../runner/store/index.js";
import { EvictionFolder } from "../../support/evicting.js";

const text = keySpaceOf(utf8Coder as Coder<unknown>);
const windows: readonly Window[] = [new IntervalWindow(0, 10), new IntervalWindow(10, 20)];

const utf8 = utf8Coder as Coder<unknown>;
const number = varintCoder as Coder<unknown>;
const coders: KeyedCoders = {
  key: utf8,
  window: intervalWindowCoder as Coder<Window>,
  element: number,
  cells: [[number], [number], [utf8, number], [number]],
};

const inMemory = (): KeyedStore =>
  new KeyedStore(
    {
      keys: text,
      cells: [
        { kind: "value", id: "value" },
        { kind: "bag", id: "bag" },
        { kind: "multimap", id: "map", mapKeys: text },
        { kind: "ordered-list", id: "list" },
      ],
      families: [
        { id: "event", domain: "event" },
        { id: "processing", domain: "processing" },
      ],
      expirationFamily: undefined,
      allowedLatenessMs: 0,
    },
    () => 0,
  );

/** What a key has in a window, as plain values. */
interface Model {
  value: number | undefined;
  bag: number[];
  map: Map<string, number[]>;
  list: (readonly [number, number])[];
  /** By family and tag. */
  timers: Map<string, number>;
}

const emptyModel = (): Model => ({ value: undefined, bag: [], map: new Map(), list: [], timers: new Map() });
const copyOf = (model: Model): Model => ({
  value: model.value,
  bag: [...model.bag],
  map: new Map([...model.map].map(([key, values]) => [key, [...values]])),
  list: [...model.list],
  timers: new Map(model.timers),
});

/** One change, made in the store's selected record and in the model. */
interface Change {
  readonly text: string;
  apply(store: Handles, model: Model): void;
}

type Handles = ReturnType<typeof handlesOf>;
const handlesOf = (store: KeyedStore) => ({
  value: store.value("value"),
  bag: store.bag("bag"),
  map: store.multimap("map"),
  list: store.orderedList("list"),
  event: store.timers("event"),
  processing: store.timers("processing"),
});

const n = fc.integer({ min: 0, max: 9 });
const mapKey = fc.constantFrom("x", "y", "z");
const family = fc.constantFrom("event" as const, "processing" as const);
const change = (name: string, apply: Change["apply"]): Change => ({ text: name, apply });
const changes: fc.Arbitrary<Change> = fc.oneof(
  n.map((v) => change(`value=${v}`, ({ value }, model) => (value.write(v), void (model.value = v)))),
  fc.constant(change("value.clear", ({ value }, model) => (value.clear(), void (model.value = undefined)))),
  n.map((v) => change(`bag+${v}`, ({ bag }, model) => (bag.add(v), void model.bag.push(v)))),
  fc.constant(change("bag.clear", ({ bag }, model) => (bag.clear(), void (model.bag = [])))),
  fc.tuple(mapKey, n).map(([key, v]) =>
    change(`map.${key}+${v}`, ({ map }, model) => {
      map.add(key, v);
      model.map.set(key, [...(model.map.get(key) ?? []), v]);
    }),
  ),
  fc.tuple(mapKey, n).map(([key, v]) => change(`map.${key}=${v}`, ({ map }, model) => (map.replace(key, v), void model.map.set(key, [v])))),
  mapKey.map((key) => change(`map-${key}`, ({ map }, model) => (map.remove(key), void model.map.delete(key)))),
  fc.constant(change("map.clear", ({ map }, model) => (map.clear(), model.map.clear()))),
  fc.tuple(n, n).map(([at, v]) =>
    change(`list+${v}@${at}`, ({ list }, model) => {
      list.add(at, v);
      model.list.push([at, v]);
      model.list.sort(([a], [b]) => a - b); // keeps equal ones in order
    }),
  ),
  fc.tuple(n, n).map(([from, to]) =>
    change(`list-[${from},${to})`, ({ list }, model) => {
      list.clear(from, to);
      model.list = model.list.filter(([at]) => at < from || at >= to);
    }),
  ),
  fc.tuple(family, mapKey, n).map(([domain, tag, at]) =>
    change(`${domain} ${tag}@${at}`, (handles, model) => {
      handles[domain].set(tag, at, at, true);
      model.timers.set(`${domain} ${tag}`, at);
    }),
  ),
  fc.tuple(family, mapKey).map(([domain, tag]) =>
    change(`${domain}-${tag}`, (handles, model) => {
      handles[domain].clear(tag);
      model.timers.delete(`${domain} ${tag}`);
    }),
  ),
);

const visit = fc.record({
  key: fc.constantFrom("a", "b", "c"),
  window: fc.constantFrom(0, 1),
  changes: fc.array(changes, { maxLength: 4 }),
});
const bundle = fc.record({ visits: fc.array(visit, { maxLength: 6 }), fails: fc.boolean() });

function stateOf({ value, bag, map, list }: Handles): unknown {
  return {
    value: value.read(),
    bag: [...bag.read()],
    map: Object.fromEntries([...map.keys()].map((key) => [key as string, [...map.get(key)]]).sort(([a], [b]) => (a < b ? -1 : 1))),
    size: map.size,
    list: list.read(-Infinity, Infinity).map((entry) => [entry.sortKey, entry.value]),
    span: list.read(3, 7).map((entry) => entry.value),
  };
}

const modelState = ({ value, bag, map, list }: Model): unknown => ({
  value,
  bag,
  map: Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1))),
  size: map.size,
  list,
  span: list.filter(([at]) => at >= 3 && at < 7).map(([, v]) => v),
});

let disk: EvictionFolder;

for (const [where, newStore] of Object.entries({
  "in memory": inMemory,
  "on disk": () => {
    const store = inMemory();
    disk.attach(store, coders);
    return store;
  },
}))
  describe(`state of keys and windows, ${where}`, () => {
    before(() => (disk = new EvictionFolder()));
    afterEach(() => disk.clear());
    after(() => disk.remove());

    it("is what a plain map would hold, without what failed bundles have done", () => {
      fc.assert(
        fc.property(fc.array(bundle, { maxLength: 6 }), (bundles) => {
          const store = newStore();
          const handles = handlesOf(store);
          const models = new Map<string, Model>();
          for (const { visits, fails } of bundles) {
            const before = new Map([...models].map(([place, model]) => [place, copyOf(model)]));
            for (const { key, window, changes: all } of visits) {
              const place = `${key}${window}`;
              const model = models.get(place) ?? emptyModel();
              models.set(place, model);
              assert.ok(store.select(key, windows[window]));
              assert.deepEqual(stateOf(handles), modelState(model));
              for (const each of all) {
                each.apply(handles, model);
                assert.deepEqual(stateOf(handles), modelState(model), each.text);
              }
            }
            if (fails) {
              store.rollback();
              models.clear();
              for (const [place, model] of before) models.set(place, model);
            } else store.commit();
            const timers = [...models.values()].flatMap((model) => [...model.timers]);
            for (const domain of ["event", "processing"] as const)
              assert.equal(
                store.pendingTimers[domain].next,
                Math.min(Infinity, ...timers.filter(([id]) => id.startsWith(domain)).map(([, at]) => at)),
              );
          }
          // Nothing is left of what is empty.
          const held = [...models.values()].filter(
            (model) => model.timers.size > 0 || JSON.stringify(modelState(model)) !== JSON.stringify(modelState(emptyModel())),
          );
          assert.equal(store.size.records, held.length);
          const left: string[] = [];
          for (const domain of ["event", "processing"] as const)
            while (store.pendingTimers[domain].next < Infinity) {
              const fireAt = store.pendingTimers[domain].next;
              const timer = store.pendingTimers.next(domain);
              store.pendingTimers.take(timer);
              left.push(`${String(timer.record.key)} ${String(timer.record.of.window)} ${domain} ${timer.tag} ${fireAt}`);
            }
          const expected = [...models].flatMap(([place, model]) =>
            [...model.timers].map(([id, at]) => `${place[0]} ${String(windows[Number(place[1])])} ${id} ${at}`),
          );
          assert.deepEqual(left.sort(), expected.sort());
        }),
        { numRuns: 300 },
      );
    });

    it("does not take back what earlier bundles have added, when values are changed that were there before", () => {
      const store = newStore();
      const { bag, value } = handlesOf(store);
      store.select("a", windows[0]);
      bag.add(1);
      value.write(7);
      assert.ok(value.isFresh);
      store.commit();
      store.select("a", windows[0]);
      assert.ok(!value.isFresh);
      bag.add(2);
      store.rollback();
      store.select("a", windows[0]);
      assert.deepEqual(bag.read(), [1]);
    });
  });
