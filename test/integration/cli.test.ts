// What the command says and returns when its arguments are right, wrong or missing, and when it is stopped.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beamstorm, type CommandResult } from "../support/run-cli.js";

const graphs = "test/integration/fixtures/graphs.ts";
const functions = "test/integration/fixtures/functions.ts";

/** A usage error: one line that matches, nothing else, and exit code 2. */
async function refuses(args: readonly string[], message: RegExp): Promise<void> {
  const result = await beamstorm(args);
  assert.match(result.stderr, message);
  assert.equal(result.stderr.trimEnd().split("\n").length, 1, result.stderr);
  assert.equal(result.stdout, "");
  assert.equal(result.code, 2);
}

describe("the command line", () => {
  let folder: string;
  before(async () => void (folder = await mkdtemp(join(tmpdir(), "beamstorm-cli-"))));
  after(() => rm(folder, { recursive: true, force: true }));

  async function program(name: string, text: string): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, text);
    return path;
  }

  it("prints its version", async () => {
    const { code, stdout } = await beamstorm(["--version"]);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
    assert.equal(code, 0);
  });

  it("prints an overview", async () => {
    const { code, stdout } = await beamstorm(["--help"]);
    assert.match(stdout, /run .*\n.*graph /s);
    assert.equal(code, 0);
  });

  it("lists the options of a pipeline with type, default and explanation", async () => {
    const { code, stdout } = await beamstorm(["run", graphs, "--pipeline", "options", "--help"]);
    assert.match(stdout, /^Usage: beamstorm run FILE \[options\]$/m);
    assert.match(stdout, /--input <string> +what to read \(required\)/);
    assert.match(stdout, /--max-age <int> +oldest, in days \(default: 3\)/);
    assert.match(stdout, /--ratio <number> +\(default: 0.5\)/);
    assert.match(stdout, /--verbose \[true\|false\] +say more \(default: false\)/);
    assert.match(stdout, /--workers <count> .*\(default: 1\)/);
    assert.equal(code, 0);
  });

  it("takes options in every form", async () => {
    const given = ["--input", "a", "--max-age=4", "--ratio", "-1.5", "--verbose"];
    const { code, message } = await beamstorm(["run", graphs, "--pipeline=options", ...given]);
    assert.match(message, /^done: \d+ elements/);
    assert.equal(code, 0);
  });

  it("prints a topology", async () => {
    const { code, stdout } = await beamstorm(["graph", "examples/wordcount.ts", "--format", "mermaid", "--workers", "2"]);
    assert.match(stdout, /^flowchart/);
    assert.equal(code, 0);
  });

  const fixture = (name: string, ...rest: string[]): string[] => ["run", graphs, "--pipeline", name, ...rest];
  const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["no FILE", ["run"], /missing required argument 'FILE'; see beamstorm run FILE --help/],
    ["an option before FILE", ["run", "--workers", "2", graphs], /name the file first: beamstorm run FILE/],
    ["an unknown command", ["rn"], /unknown command 'rn' \(did you mean run\?\); see beamstorm --help/],
    ["a missing file", ["run", "nowhere.ts"], /there is no file "nowhere\.ts" \(in .*\)/],
    ["a folder", ["run", "examples"], /"examples" is not a file/],
    ["several pipelines", ["run", graphs], /"test.*graphs\.ts" exports several pipelines \(builderThrows, .*\); name one with --pipeline/],
    ["a pipeline that is not there", fixture("nope"), /exports no pipeline named "nope"; it has builderThrows/],
    [
      "an unknown option",
      fixture("options", "--inptu", "a"),
      /unknown option '--inptu' \(did you mean --input\?\); see beamstorm run FILE --help/,
    ],
    ["a missing option", fixture("options"), /option --input <string> must be given/],
    ["text for a whole number", fixture("options", "--max-age", "old"), /'--max-age <int>' .*expected a whole number, got "old"/],
    ["a number out of bounds", fixture("options", "--max-age", "0"), /'--max-age <int>' .*expected at least 1, got 0/],
    ["text for a truth value", fixture("options", "--verbose", "maybe"), /expected true or false, got "maybe"/],
    ["an option without its value", fixture("options", "--input"), /option '--input <string>' argument missing/],
    ["an argument too many", fixture("options", "--input", "a", "b"), /too many arguments/],
    ["a wrong number of workers", fixture("options", "--input", "a", "--workers", "0"), /expected a whole number from 1 to 256/],
    [
      "an option that the command has itself",
      fixture("takenOption"),
      /option "workers" would be --workers, as is the command's own; rename it/,
    ],
  ];
  for (const [what, args, message] of refused) it(`refuses ${what}, in one line`, () => refuses(args, message));

  it("refuses a module that exports no pipeline", async () => {
    const file = await program("empty.ts", "export const answer: number = 42;\n");
    await refuses(["run", file], /empty\.ts" exports no pipeline; export one: export default pipeline\(/);
  });

  it("refuses a file that does not compile, at its line", async () => {
    const file = await program("broken.ts", "export default\n  pipeline(( => 1);\n");
    await refuses(["run", file], /broken\.ts" cannot be compiled: .* \(.*broken\.ts:2:\d+\)/);
  });

  it("refuses a file whose packages are not there", async () => {
    const file = await program("imports.ts", 'import { x } from "no-such-package";\nexport default x;\n');
    await refuses(["run", file], /cannot be compiled: Could not resolve "no-such-package" \(.*imports\.ts:1:\d+\)/);
  });

  it("refuses a file that fails while it is loaded, at its line", async () => {
    const file = await program("throws.ts", '\nconst n: number = 1;\nthrow new Error("no luck " + n);\n');
    await refuses(["run", file], /throws\.ts" cannot be loaded: no luck 1 \(.*throws\.ts:3:7\)/);
  });

  it("says at which line a builder threw", async () => {
    const { code, stderr } = await beamstorm(fixture("builderThrows"));
    assert.match(stderr, /^error: the builder gave up\n {2}thrown at: +test\/integration\/fixtures\/graphs\.ts:\d+:\d+\n$/);
    assert.equal(code, 2);
  });

  /** Stops a run that never ends by itself, once it is running. */
  function stopped(signal: NodeJS.Signals, ...args: string[]): Promise<CommandResult> {
    let sent = false;
    return beamstorm(["run", functions, "--pipeline", "hangs", ...args], {
      onStderr: (stderr, child) => {
        if (!sent && stderr.includes("RUNNING")) sent = child.kill(signal);
      },
    });
  }

  it("cancels at Ctrl-C", async () => {
    const { code, message } = await stopped("SIGINT");
    assert.equal(message, "cancelled\n");
    assert.equal(code, 130);
  });

  it("cancels at SIGTERM, worker processes included", async () => {
    const { code, message } = await stopped("SIGTERM", "--workers", "2");
    assert.equal(message, "cancelled\n");
    assert.equal(code, 143);
  });

  it("says which line keeps it busy without end, and ends at Ctrl-C", async () => {
    let sent = false;
    const { code, message } = await beamstorm(["run", functions, "--pipeline", "spins", "--stall-warning", "2"], {
      onStderr: (stderr, child) => {
        if (!sent && stderr.includes("warn: ")) sent = child.kill("SIGINT");
      },
    });
    assert.match(
      message,
      /^warn: a function has kept the process busy for \d s without a break at .*fixtures\/functions\.ts:\d+:\d+; Ctrl-C ends it at once\n$/,
    );
    assert.equal(code, null, "ended by the signal itself");
  });

  it("ends with the run, even if a function left a timer", async () => {
    const { code, message } = await beamstorm(["run", functions, "--pipeline", "leavesTimer"]);
    assert.match(message, /^done: /);
    assert.equal(code, 0);
  });
});
