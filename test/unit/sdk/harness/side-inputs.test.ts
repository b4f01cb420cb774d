// What functions see of their side inputs, and how often they are called for an element of several windows.
import assert from "node:assert/strict";
import { kvCoder, utf8Coder, ValueCoder, type Coder } from "../../../../portability/coders/index.js";
import { GlobalWindow, IntervalWindow, kv, type Window } from "../../../../portability/values/index.js";
import { FixedWindows, globalWindows, sideInputWindow } from "../../../../portability/windows/index.js";
import { keyedView } from "../../../../sdk/harness/keyed-view.js";
import { SideInputView } from "../../../../sdk/harness/side-input-view.js";
import {
  asList,
  asMap,
  create,
  map,
  PipelineError,
  sessions,
  windowInto,
  pipeline,
  type PCollection,
  type Pipeline,
  type SideInput,
} from "../../../../sdk/index.js";

const anyKey = new ValueCoder();
const minute = (n: number): Window => new IntervalWindow(n * 60_000, (n + 1) * 60_000);

/** A view over windows that the test fills. */
function viewOf(kind: SideInput<unknown>["kind"], contents: () => readonly unknown[], fallback?: { value: unknown }): SideInputView {
  const pcollection = { coder: kvCoder(utf8Coder, anyKey) } as unknown as PCollection<unknown>;
  return new SideInputView("side", { kind, pcollection, fallback }, { values: contents }, globalWindows);
}

describe("keyedView", () => {
  it("looks up keys by their encoding, whatever objects they are", () => {
    const view = keyedView([kv({ a: 1, b: 2 }, "x"), kv([1], "y")], anyKey, "map", "side");
    assert.equal(view.get({ a: 1, b: 2 }), "x");
    assert.equal(view.get([1]), "y");
    assert.equal(view.has([2]), false);
    assert.equal(view.size, 2);
    assert.deepEqual(
      [...view.entries()],
      [
        [{ a: 1, b: 2 }, "x"],
        [[1], "y"],
      ],
    );
    assert.deepEqual([...view.keys()], [{ a: 1, b: 2 }, [1]]);
    assert.deepEqual([...view.values()], ["x", "y"]);
  });

  it("keeps 0 and -0 apart, as their encodings are", () => {
    const view = keyedView([kv(0, "plus"), kv(-0, "minus")], anyKey, "map", "side");
    assert.equal(view.get(0), "plus");
    assert.equal(view.get(-0), "minus");
  });

  it("gathers the values of a key in a multimap", () => {
    const view = keyedView([kv("a", 1), kv("b", 2), kv("a", 3)], utf8Coder as Coder<unknown>, "multimap", "side");
    assert.deepEqual(view.get("a"), [1, 3]);
    assert.equal(view.get("c"), undefined);
  });

  it("refuses a second value of a key in a map, naming both", () => {
    for (const key of ["a", [1]])
      assert.throws(() => keyedView([kv(key, 1), kv(key, 1)], anyKey, "map", "rates"), /side input "rates" has several values.*asMultimap/);
  });
});

describe("SideInputView", () => {
  it("refuses a singleton of none or of many, and takes its default for none", () => {
    assert.equal(viewOf("singleton", () => [7]).at(GlobalWindow.instance), 7);
    assert.throws(() => viewOf("singleton", () => []).at(GlobalWindow.instance), /no element; give asSingleton\(\) a default/);
    assert.throws(() => viewOf("singleton", () => [1, 2]).at(GlobalWindow.instance), /2 elements; use asList\(\)/);
    assert.equal(viewOf("singleton", () => [], { value: null }).at(GlobalWindow.instance), null);
  });

  it("is made once, and anew when the content has changed by the next bundle", () => {
    let contents = [kv("a", 1)];
    const view = viewOf("map", () => contents);
    const first = view.at(GlobalWindow.instance);
    assert.equal(view.at(GlobalWindow.instance), first);
    contents = [...contents, kv("b", 2)];
    assert.equal(view.at(GlobalWindow.instance), first);
    view.refresh();
    assert.equal((view.at(GlobalWindow.instance) as Map<string, number>).get("b"), 2);
  });
});

describe("sideInputWindow", () => {
  it("is the window that holds the last instant of the main one", () => {
    assert.deepEqual(sideInputWindow(new FixedWindows(3_600_000), minute(59)), new IntervalWindow(0, 3_600_000));
    assert.deepEqual(sideInputWindow(new FixedWindows(60_000), new IntervalWindow(0, 3_600_000)), minute(59));
    assert.equal(sideInputWindow(globalWindows, minute(1)), GlobalWindow.instance);
  });

  it("is the one that ends first among several", () => {
    const several = { urn: "x", merging: false, assign: () => [minute(2), minute(1), minute(3)] };
    assert.deepEqual(sideInputWindow(several, minute(1)), minute(1));
  });
});

describe("side inputs of a pipeline", () => {
  const built = (build: (p: Pipeline) => unknown) => pipeline(build).build();

  it("are among the inputs of their transform", () => {
    const graph = built((p) => {
      const list = p.apply(create("list", [1]));
      p.apply(create("main", [2])).apply(map("use", (n, { list: all }) => n + all.length, { with: { list: asList(list) } }));
    });
    const [use] = graph.root.children.filter(({ uniqueName }) => uniqueName === "use");
    assert.deepEqual([...use.inputs.keys()], ["in", "side.list"]);
  });

  const refused: readonly (readonly [string, string, (p: Pipeline) => unknown])[] = [
    [
      "a name that the context has already",
      "bad_side_input",
      (p) => {
        const numbers = p.apply(create([1]));
        return numbers.apply(map((n) => n, { with: { window: asList(numbers) } }));
      },
    ],
    [
      "a PCollection of another pipeline",
      "foreign_pcollection",
      (p) => {
        let other!: PCollection<number>;
        built((q) => (other = q.apply(create([1]))));
        return p.apply(create([1])).apply(map((n) => n, { with: { list: asList(other) } }));
      },
    ],
    [
      "in sessions",
      "bad_side_input",
      (p) => {
        const numbers = p.apply(create([1])).apply(windowInto(sessions(10)));
        return numbers.apply(map((n) => n, { with: { numbers: asList(numbers) } }));
      },
    ],
    [
      "a bare PCollection",
      "bad_side_input",
      (p) => {
        const numbers = p.apply(create([1]));
        return numbers.apply(map((n) => n, { with: { numbers: numbers as never } }));
      },
    ],
    [
      "a map of elements that are no keys and values",
      "not_keyed",
      (p) => {
        const texts = p.apply(create(["a"], utf8Coder));
        return texts.apply(map((n) => n, { with: { table: asMap(texts as never) } }));
      },
    ],
  ];
  for (const [what, code, build] of refused)
    it(`may not be ${what}`, () => {
      assert.throws(
        () => built(build),
        (error: unknown) => error instanceof PipelineError && error.code === code,
      );
    });
});
