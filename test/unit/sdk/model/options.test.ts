import assert from "node:assert/strict";
import { PipelineError } from "../../../../portability/stage-host/index.js";
import { option, pipeline } from "../../../../sdk/index.js";
import { resolveOptions } from "../../../../sdk/model/options.js";

const declared = {
  input: option.string({ default: "a.txt", help: "files" }),
  top: option.int({ min: 1, max: 100 }),
  share: option.number({ default: 0.5, min: 0 }),
  loud: option.boolean(),
};

describe("options", () => {
  it("take their defaults where nothing is given", () => {
    assert.deepEqual(resolveOptions(declared, { top: 5 }), { input: "a.txt", top: 5, share: 0.5, loud: false });
  });

  it("are read from text, as a command line has it", () => {
    const given = { input: "b.txt", top: "7", share: "1e-3", loud: "true" };
    assert.deepEqual(resolveOptions(declared, given), { input: "b.txt", top: 7, share: 0.001, loud: true });
  });

  it("describe themselves", () => {
    assert.deepEqual([declared.input.type, declared.input.help, declared.input.default], ["string", "files", "a.txt"]);
    assert.deepEqual([declared.top.type, declared.top.help, declared.top.default], ["int", "", undefined]);
  });

  it("reach the builder", () => {
    let seen: unknown;
    pipeline({ options: declared, build: (_p, options) => void (seen = options) }).build({ top: 3 });
    assert.deepEqual(seen, { input: "a.txt", top: 3, share: 0.5, loud: false });
  });

  const cases: [title: string, given: Record<string, unknown>, code: string, message: string][] = [
    ["an unknown one", { top: 1, out: "x" }, "unknown_option", "unknown option --out; this pipeline has --input, --top, --share, --loud"],
    ["a name that every object has", { top: 1, toString: "x" }, "unknown_option", "unknown option --toString"],
    ["a required one that is missing", {}, "missing_option", "option --top is required"],
    ["a fraction for a whole number", { top: 1.5 }, "bad_option", 'option --top: expected a whole number, got "1.5"'],
    ["words for a whole number", { top: "many" }, "bad_option", 'option --top: expected a whole number, got "many"'],
    ["no text for a whole number", { top: " " }, "bad_option", 'option --top: expected a whole number, got " "'],
    ["a number beyond exactness", { top: "9007199254740993" }, "bad_option", "option --top: expected a whole number"],
    ["a number too small", { top: 0 }, "bad_option", "option --top: expected at least 1, got 0"],
    ["a number too large", { top: "101" }, "bad_option", "option --top: expected at most 100, got 101"],
    ["words for a number", { top: 1, share: "half" }, "bad_option", 'option --share: expected a number, got "half"'],
    ["an endless number", { top: 1, share: Infinity }, "bad_option", 'option --share: expected a number, got "Infinity"'],
    ["a number for text", { top: 1, input: 5 }, "bad_option", "option --input: expected text, got 5"],
    ["words for a switch", { top: 1, loud: "yes" }, "bad_option", 'option --loud: expected true or false, got "yes"'],
  ];
  for (const [title, given, code, message] of cases)
    it(`refuse ${title}`, () => {
      assert.throws(
        () => resolveOptions(declared, given),
        (error: unknown) => {
          assert.ok(error instanceof PipelineError);
          assert.equal(error.code, code);
          assert.ok(error.message.startsWith(message), error.message);
          return true;
        },
      );
    });

  it("say so when there are none", () => {
    assert.throws(() => resolveOptions({}, { a: 1 }), /unknown option --a; this pipeline has no options/);
  });
});
