import assert from "node:assert/strict";
import { PipelineError } from "../../../../portability/stage-host/index.js";
import { Program } from "../../../../sdk/harness/program.js";
import { create, fixed, map, option, pipeline, windowInto } from "../../../../sdk/index.js";

const definition = pipeline({
  options: { size: option.int({ default: 1000 }), extra: option.boolean(), name: option.string({ default: "last" }) },
  build: (p, { size, extra, name }) => {
    let numbers = p.apply(create("numbers", [1]));
    if (extra) numbers = numbers.apply(map("extra", (n) => n));
    numbers.apply(windowInto("window", fixed(size))).apply(map(name, (n) => n));
  },
});
const program = (options: Record<string, unknown> = {}) => new Program(definition.build(options));

const mismatch = (transform: string) => (error: unknown) => {
  assert.ok(error instanceof PipelineError);
  assert.equal(error.code, "program_mismatch");
  assert.ok(error.message.includes(`transform "${transform}" is the first that differs`), error.message);
  return true;
};

describe("the fingerprint of a program", () => {
  it("is the same for each build", () => {
    assert.equal(program().fingerprint(), program().fingerprint());
    program().checkFingerprint(program().fingerprint());
  });

  for (const [title, options, transform] of [
    ["one more transform", { extra: true }, "extra"],
    ["another name", { name: "other" }, "other"],
    ["another window", { size: 5 }, "window"],
  ] as const)
    it(`tells the first transform that differs: ${title}`, () => {
      const submitted = program(options).fingerprint();
      assert.throws(() => program().checkFingerprint(submitted), mismatch(transform));
    });

  it("tells a transform that is only here", () => {
    const lines = program().fingerprint().split("\n");
    assert.throws(() => program().checkFingerprint(lines.slice(0, -1).join("\n")), mismatch("last"));
  });

  it("does not change when window functions are used", () => {
    const used = program();
    const before = used.fingerprint();
    used.primitive("window", "window-into").windowing.windowFn.assign(5);
    assert.equal(used.fingerprint(), before);
  });
});

describe("a program", () => {
  it("finds functions by the name of their transform", () => {
    assert.equal(program().primitive("last", "par-do").doFn.kind, "map");
    assert.match(program().site("last") ?? "", /program\.test\.ts:\d+/);
  });

  it("refuses a transform that it does not have, or has as something else", () => {
    assert.throws(() => program().primitive("missing", "par-do"), /the program has no par-do transform named "missing"/);
    assert.throws(() => program().primitive("last", "combine-per-key"), /no combine-per-key transform named "last"/);
  });
});
