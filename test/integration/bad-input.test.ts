// Input, functions, graphs and outputs that are not as they should be: what the user of the command sees, and its exit code.
import assert from "node:assert/strict";
import { mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beamstorm, type CommandResult } from "../support/run-cli.js";

const fixtures = "test/integration/fixtures";

describe("bad input", () => {
  let folder: string;
  before(async () => void (folder = await mkdtemp(join(tmpdir(), "beamstorm-bad-input-"))));
  after(() => rm(folder, { recursive: true, force: true }));

  describe("in files", () => {
    let output: string;
    beforeEach(async () => void (output = join(await mkdtemp(join(folder, "out-")), "copy.txt")));

    const run = (name: string, input: string, ...rest: string[]): Promise<CommandResult> =>
      beamstorm(["run", `${fixtures}/text.ts`, "--pipeline", name, "--input", input, "--output", output, ...rest]);

    async function file(name: string, content: string | Buffer): Promise<string> {
      const path = join(folder, name);
      await writeFile(path, content);
      return path;
    }

    it("names a missing file and where it was looked for", async () => {
      const { code, message } = await run("copy", "no/such/file.txt");
      assert.match(
        message,
        /error: .*transform "textIO\.read\/match files": cannot read "no\/such\/file\.txt": there is no such file \(in \/.*\)/,
      );
      assert.match(message, /applied at: +test\/integration\/fixtures\/text\.ts:\d+:\d+/);
      assert.equal(code, 1);
    });

    it("says that nothing matches a pattern", async () => {
      const { code, message } = await run("copy", "no/such/*.txt");
      assert.match(message, /no file matches "no\/such\/\*\.txt" \(in \/.*\)/);
      assert.equal(code, 1);
    });

    it("says that a folder is no file", async () => {
      const { code, message } = await run("copy", folder);
      assert.match(message, /cannot read ".*": it is a folder; name files in it, e\.g\. ".*\/\*\.txt"/);
      assert.equal(code, 1);
    });

    it("replaces what is not UTF-8", async () => {
      const { code } = await run("copy", await file("latin1.txt", Buffer.from("caf\xe9\nbar\n", "latin1")));
      assert.deepEqual((await readFile(output, "utf8")).split("\n").sort(), ["", "bar", "caf\ufffd"]);
      assert.equal(code, 0);
    });

    it("refuses what is not UTF-8 when asked to", async () => {
      const { code, message } = await run("copy", await file("latin1.txt", Buffer.from("bar\ncaf\xe9\n", "latin1")), "--strict");
      assert.match(message, /latin1\.txt: the line at byte 4 is not UTF-8; read it with \{ invalidUtf8: "replace" \}/);
      assert.equal(code, 1);
      assert.deepEqual(await readdir(join(output, "..")), []);
    });

    it("makes an empty file of an empty file", async () => {
      const { code, message } = await run("copy", await file("empty.txt", ""));
      assert.match(message, /^done: /);
      assert.equal(await readFile(output, "utf8"), "");
      assert.equal(code, 0);
    });

    it("reads a line of 100 MB in bounded memory", async () => {
      const path = join(folder, "long.txt");
      const handle = await open(path, "w");
      const block = Buffer.alloc(1_000_000, "abcdefghi ");
      for (let i = 0; i < 100; i++) await handle.write(block);
      await handle.write("\nshort\n");
      await handle.close();
      const { code } = await run("lengths", path);
      const lines = (await readFile(output, "utf8"))
        .trim()
        .split("\n")
        .map((line) => line.split(" ").map(Number));
      assert.deepEqual(new Set(lines.map(([length]) => length)), new Set([100_000_000, 5]));
      const mostKiB = Math.max(...lines.map(([, kib]) => kib));
      assert.ok(mostKiB < 700 * 1024, `${mostKiB} KiB`);
      assert.equal(code, 0);
    });

    it("says that a part of the output's path is a file", async () => {
      const input = await file("input.txt", "a\n");
      output = join(input, "below", "counts.txt");
      const { code, message } = await run("copy", input);
      assert.match(message, /cannot write ".*input\.txt\/below\/counts\.txt": a part of the path is a file, not a folder/);
      assert.equal(code, 1);
    });

    it("says that the disk is full, and leaves what was there", async () => {
      const input = await file("input.txt", "a\n");
      await writeFile(output, "before\n");
      const { code, message } = await run("fullDisk", input);
      assert.match(message, /cannot write ".*copy\.txt": no space is left on the device; what was there before is unchanged/);
      assert.equal(code, 1);
      assert.deepEqual(await readdir(join(output, "..")), ["copy.txt"]);
      assert.equal(await readFile(output, "utf8"), "before\n");
    });
  });

  for (const workers of ["1", "2"])
    describe(`in functions, with --workers ${workers}`, () => {
      const run = (name: string): Promise<CommandResult> =>
        beamstorm(["run", `${fixtures}/functions.ts`, "--pipeline", name, "--workers", workers]);

      it("names transform, element and line of a function that throws", async () => {
        const { code, message } = await run("throws");
        assert.match(message, /^error: failed in transform "divide": two is not allowed\n {2}element: +2\n/);
        assert.match(message, /thrown at: +test\/integration\/fixtures\/functions\.ts:10:\d+\n/);
        assert.match(message, /applied at: +test\/integration\/fixtures\/functions\.ts:8:\d+\n/);
        assert.doesNotMatch(message, /^ +at /m);
        assert.equal(code, 1);
      });

      it("names transform and element of a promise that is rejected", async () => {
        const { code, message } = await run("rejects");
        assert.match(message, /^error: rejected its promise in transform "fetch": no answer for 1\n {2}element: +1\n/);
        assert.match(message, /thrown at: +test\/integration\/fixtures\/functions\.ts:\d+:\d+\n/);
        assert.equal(code, 1);
      });

      it("refuses what is emitted after its call has settled", async () => {
        const { code, message } = await run("emitsLate");
        assert.match(message, /^error: emitted after its call had settled in transform "emit late": await everything that emits/);
        assert.equal(code, 1);
      });

      it("fails by an error that no call waits for", async () => {
        const { code, message } = await run("strayError");
        assert.match(message, /error: nobody awaits this\n {2}thrown at: +test\/integration\/fixtures\/functions\.ts:\d+:\d+\n/);
        assert.equal(code, 1);
      });

      it("says whose setup a run that does not start waits for, and can be cancelled", async () => {
        const warning = /no progress for [\d.]+ s: [^;]*#0 waits for setup in user code/;
        let sent = false;
        const { code, stderr } = await beamstorm(
          ["run", `${fixtures}/functions.ts`, "--pipeline", "hangsInSetup", "--workers", workers, "--stall-warning", "0.5"],
          { onStderr: (text, child) => void (sent ||= warning.test(text) && child.kill("SIGINT")) },
        );
        assert.match(stderr, warning);
        assert.equal(code, 130);
      });

      it("says which promise a run that stands still waits for, and can be cancelled", async () => {
        const warning = /no progress for [\d.]+ s: .* waits for a promise of transform \\"wait for ever\\" for the element 2/;
        let sent = false;
        const { code, stderr, message } = await beamstorm(
          ["run", `${fixtures}/functions.ts`, "--pipeline", "hangs", "--workers", workers, "--stall-warning", "0.5"],
          { onStderr: (text, child) => void (sent ||= warning.test(text) && child.kill("SIGINT")) },
        );
        assert.match(stderr, warning);
        assert.equal(message, "cancelled\n");
        assert.equal(code, 130);
      });
    });

  describe("in functions", () => {
    it("shows a bounded part of a long element", async () => {
      const { code, message } = await beamstorm(["run", `${fixtures}/functions.ts`, "--pipeline", "longElement"]);
      assert.match(message, /element: +"x{50,}… /);
      assert.ok(message.length < 1000);
      assert.equal(code, 1);
    });
  });

  describe("in graphs", () => {
    const run = (name: string): Promise<CommandResult> => beamstorm(["run", `${fixtures}/graphs.ts`, "--pipeline", name]);

    it("refuses a key without a deterministic coder", async () => {
      const { code, stderr } = await run("notDeterministic");
      assert.match(stderr, /^error: transform "by fraction" groups by a key whose coder beam:coder:double:v1 is not deterministic/);
      assert.match(stderr, /applied at: +test\/integration\/fixtures\/graphs\.ts:\d+:\d+\n$/);
      assert.equal(code, 2);
    });

    it("refuses a PCollection of another pipeline", async () => {
      const { code, stderr } = await run("foreignPCollection");
      assert.match(stderr, /^error: flatten was given a PCollection of another pipeline \("elsewhere\/elements"\)\n/);
      assert.match(stderr, /applied at: +test\/integration\/fixtures\/graphs\.ts:\d+:\d+\n$/);
      assert.equal(code, 2);
    });

    it("refuses transforms that feed each other in a circle", async () => {
      const { code, stderr } = await run("circle");
      assert.match(
        stderr,
        /^error: transforms feed each other in a circle: ("second" → "first" → "second"|"first" → "second" → "first"); a pipeline must have no cycle\n$/,
      );
      assert.equal(code, 2);
    });
  });
});
