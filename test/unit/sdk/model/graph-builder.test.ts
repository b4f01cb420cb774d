import assert from "node:assert/strict";
import { utf8Coder, type Coder } from "../../../../portability/coders/index.js";
import { PipelineError } from "../../../../portability/stage-host/index.js";
import {
  combinePerKey,
  composite,
  countPerElement,
  create,
  filter,
  fixed,
  flatten,
  groupByKey,
  keys,
  map,
  output,
  parDo,
  pipeline,
  type PCollection,
  type Pipeline,
  sumFn,
  values,
  windowInto,
  withCoder,
  withKeys,
  type KV,
} from "../../../../sdk/index.js";

const build = (builder: (p: Pipeline) => unknown) => pipeline(builder).build();

/** Unique names of all transforms, parents before children. */
function namesOf(builder: (p: Pipeline) => unknown): string[] {
  const names: string[] = [];
  const visit = (node: ReturnType<typeof build>["root"]): void => {
    if (node.uniqueName !== "") names.push(node.uniqueName);
    node.children.forEach(visit);
  };
  visit(build(builder).root);
  return names;
}

const fails =
  (code: string, ...parts: (string | RegExp)[]) =>
  (error: unknown) => {
    assert.ok(error instanceof PipelineError, String(error));
    assert.equal(error.code, code);
    for (const part of parts) {
      if (typeof part === "string") assert.ok(error.message.includes(part), `"${part}" is not in: ${error.message}`);
      else assert.match(error.message, part);
    }
    return true;
  };

const thisFile = /graph-builder\.test\.ts:\d+:\d+/;

describe("building a graph", () => {
  describe("names", () => {
    it("are the author's, or derived from the kind of transform", () => {
      assert.deepEqual(
        namesOf((p) => p.apply(create("numbers", [1])).apply(map((n) => n))),
        ["numbers", "numbers/impulse", "numbers/elements", "map"],
      );
    });

    it("get a number where a derived one is taken, in each scope by itself", () => {
      const names = namesOf((p) => {
        const numbers = p.apply(create([1]));
        numbers.apply(map((n) => n)).apply(map((n) => n));
        numbers.apply(composite("inner", (input) => input.apply(map((n) => n)).apply(map((n) => n))));
      });
      assert.deepEqual(
        names.filter((name) => name.includes("map")),
        ["map", "map 2", "inner/map", "inner/map 2"],
      );
    });

    it("of composites are those of their functions", () => {
      const double = (input: PCollection<number>) => input.apply(map((n) => n * 2));
      const names = namesOf((p) => {
        p.apply(create([1])).apply(double);
        p.apply(create([1])).apply((input) => input.apply(map((n) => n)));
      });
      assert.deepEqual(
        names.filter((name) => name.endsWith("map")),
        ["double/map", "composite/map"],
      );
    });

    it("may hold a slash, which is no scope then", () => {
      assert.deepEqual(namesOf((p) => p.apply(create([1])).apply(map("a/b", (n) => n))).at(-1), "a∕b");
    });

    it("given twice in one scope are an error that shows both lines", () => {
      assert.throws(
        () =>
          build((p) => {
            const numbers = p.apply(create([1]));
            numbers.apply(map("same", (n) => n));
            numbers.apply(filter("same", () => true));
          }),
        fails("duplicate_name", '"same"', new RegExp(`${thisFile.source} and .*${thisFile.source}`)),
      );
    });

    it("may be used again in another scope", () => {
      const inner = (name: string) => composite(name, (input: PCollection<number>) => input.apply(map("same", (n) => n)));
      assert.doesNotThrow(() =>
        build((p) =>
          p
            .apply(create([1]))
            .apply(inner("a"))
            .apply(inner("b")),
        ),
      );
    });
  });

  it("gives the same ids and names each time", () => {
    const definition = pipeline((p) =>
      p
        .apply(create(["a"]))
        .apply(countPerElement())
        .apply(keys()),
    );
    const ids = () => definition.build().pcollections.map(({ id, producer }) => [id, producer.uniqueName]);
    assert.deepEqual(ids(), ids());
  });

  it("remembers the author's line of every transform", () => {
    const [numbers] = build((p) => p.apply(create([1]))).root.children;
    assert.match(numbers.site ?? "", thisFile);
    assert.match(numbers.children[0].site ?? "", thisFile);
  });

  it("never runs a function of the author", () => {
    build((p) =>
      p.apply(create([1])).apply(
        map((): number => {
          throw new Error("ran");
        }),
      ),
    );
  });

  it("knows inputs and outputs by tag", () => {
    const graph = build((p) => {
      const { even } = p
        .apply(create([1]))
        .apply(parDo("split", { outputs: { even: output<number>(), odd: output<number>() }, process: () => undefined }));
      even.apply(map("behind", (n) => n));
    });
    const [, split, behind] = graph.root.children;
    assert.deepEqual([...split.outputs.keys()], ["even", "odd"]);
    assert.equal(behind.inputs.get("in"), split.outputs.get("even"));
  });

  describe("of what cannot be", () => {
    it("refuses a PCollection of another pipeline", () => {
      let foreign!: PCollection<number>;
      build((p) => (foreign = p.apply(create("theirs", [1]))));
      assert.throws(() => build((p) => p.apply(flatten([p.apply(create([1])), foreign]))), fails("foreign_pcollection", "theirs"));
      assert.throws(
        () => build((p) => p.apply(composite("leaky", () => foreign))),
        fails("foreign_pcollection", 'transform "leaky"', "theirs"),
      );
    });

    for (const [what, value] of Object.entries({ undefined: undefined, null: null, 5: 5, "{}": {} }))
      it(`refuses to apply ${what}`, () => {
        assert.throws(() => build((p) => p.apply(value as never)), fails("not_a_transform", `not ${what}`, thisFile));
      });

    it("refuses a builder of a composite that is asynchronous", () => {
      assert.throws(
        () => build((p) => p.apply(composite("later", async () => p.apply(create([1]))))),
        fails("expand_async", 'transform "later" returned a promise'),
      );
    });

    it("refuses to group what has no keys", () => {
      assert.throws(
        () => build((p) => p.apply(create(["a"], utf8Coder)).apply(groupByKey("group") as never)),
        fails("not_keyed", 'transform "group"', "beam:coder:string_utf8:v1", "withKeys()"),
      );
    });

    it("refuses keys whose coder is not deterministic, in groupings and combines", () => {
      const random: Coder<unknown> = { ...coderLike(utf8Coder), deterministic: false };
      for (const transform of [groupByKey("by key"), combinePerKey("by key", sumFn)])
        assert.throws(
          () =>
            build((p) =>
              p
                .apply(create([1]))
                .apply(withKeys(() => "k"))
                .apply(withCoder(kvOf(random) as Coder<KV<string, number>>))
                .apply(transform as never),
            ),
          fails("coder_not_deterministic", 'transform "by key"', random.urn),
        );
    });

    it("refuses to flatten nothing, and what is windowed differently", () => {
      assert.throws(() => build((p) => p.apply(flatten([]))), fails("empty_flatten"));
      assert.throws(
        () =>
          build((p) => {
            const numbers = p.apply(create("numbers", [1]));
            p.apply(flatten("both", [numbers, numbers.apply(windowInto("minutes", fixed(60_000)))]));
          }),
        fails("different_windows", 'flatten "both"', "numbers", "minutes"),
      );
    });

    it("refuses what is no function at once, on the author's line", () => {
      for (const transform of [map, filter]) assert.throws(() => transform(5 as never), /needs a function/);
    });
  });

  describe("coders", () => {
    it("of a flatten are those of its inputs if they are all the same", () => {
      const coderOf = (...coders: (Coder<string> | undefined)[]) => {
        const graph = build((p) => p.apply(flatten(coders.map((coder) => p.apply(create(["a"], coder))))));
        return graph.pcollections.at(-1)?.coder.urn;
      };
      assert.equal(coderOf(utf8Coder, utf8Coder), utf8Coder.urn);
      assert.notEqual(coderOf(utf8Coder, undefined), utf8Coder.urn);
    });

    it("stay through filters, windows, keys and values", () => {
      const urns = build((p) => {
        const words = p
          .apply(create(["a"], utf8Coder))
          .apply(filter(() => true))
          .apply(windowInto(fixed(1000)));
        words.apply(countPerElement()).apply(keys());
        words.apply(withKeys((word) => word)).apply(values());
      })
        .pcollections.filter(({ producer }) => /filter|windowInto|keys/.test(producer.uniqueName))
        .map(({ coder }) => coder.urn);
      assert.deepEqual(urns.slice(0, 3), [utf8Coder.urn, utf8Coder.urn, utf8Coder.urn]);
    });
  });
});

function coderLike(coder: Coder<string>): Coder<unknown> {
  return Object.assign(Object.create(coder as object) as Coder<unknown>, { ...(coder as unknown as Coder<unknown>) });
}

function kvOf(key: Coder<unknown>): Coder<unknown> {
  return { ...coderLike(utf8Coder), urn: "beam:coder:kv:v1", components: [key, key] } as Coder<unknown>;
}
