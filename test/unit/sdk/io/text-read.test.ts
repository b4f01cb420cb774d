import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { local } from "../../../../local/index.js";
import { map, pipeline, run, textIO } from "../../../../sdk/index.js";
import type { ReadOptions } from "../../../../sdk/io/text/index.js";

/** All lines that match, sorted: they come in no order. */
async function read(pattern: string, options: ReadOptions = {}): Promise<string[]> {
  const found: string[] = [];
  const definition = pipeline((p) => p.apply(textIO.read(pattern, options)).apply(map((line) => found.push(line))));
  await run(definition, {}, local());
  return found.sort();
}

describe("textIO.read", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "text-read-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const write = async (name: string, content: string | Uint8Array): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  };

  context("of files", () => {
    it("gives every line once, in ranges of any size", async () => {
      const lines = Array.from({ length: 1000 }, (_, i) => `line ${i} ä€😀`).sort();
      const path = await write("a.txt", lines.join("\n"));
      assert.deepEqual(await read(path), lines);
      assert.deepEqual(await read(path, { rangeBytes: 100 }), lines);
    });

    it("drops line ends, `\\r\\n` too, and keeps empty lines", async () => {
      assert.deepEqual(await read(await write("a.txt", "b\r\n\r\na\n\n")), ["", "", "a", "b"]);
    });

    it("gives nothing for an empty file", async () => {
      assert.deepEqual(await read(await write("a.txt", "")), []);
    });

    it("reads all files that a pattern matches, compressed ones too", async () => {
      await write("a.txt", "plain\n");
      await write("b.txt.gz", gzipSync("packed\nlast"));
      await write("c.log", "other\n");
      await mkdir(join(folder, "d.txt"));
      assert.deepEqual(await read(join(folder, "*.{txt,gz}")), ["last", "packed", "plain"]);
    });

    it("reads a file whose name looks like a pattern", async () => {
      assert.deepEqual(await read(await write("notes [1] (2).txt", "yes")), ["yes"]);
    });

    it("reads a line longer than blocks and ranges", async () => {
      const line = "x".repeat(3_000_000);
      assert.deepEqual(await read(await write("a.txt", `a\n${line}\nb`), { rangeBytes: 500_000 }), ["a", "b", line]);
    });
  });

  context("of bytes that are not UTF-8", () => {
    const bytes = Buffer.concat([Buffer.from("fine\nbad "), Buffer.of(0xff), Buffer.from("\n")]);

    it("replaces them", async () => {
      assert.deepEqual(await read(await write("a.txt", bytes)), ["bad \uFFFD", "fine"]);
    });

    it("fails when told so, naming the file and the place", async () => {
      const path = await write("a.txt", bytes);
      await assert.rejects(() => read(path, { invalidUtf8: "error" }), /a\.txt: the line at byte 5 is not UTF-8/);
    });
  });

  context("of what cannot be read", () => {
    it("names a missing file and the working directory", async () => {
      const path = join(folder, "missing.txt");
      await assert.rejects(
        () => read(path),
        (error: Error) => error.message.includes(`cannot read "${path}": there is no such file (in ${process.cwd()})`),
      );
    });

    it("says that nothing matches a pattern", async () => {
      const pattern = join(folder, "*.txt");
      await assert.rejects(
        () => read(pattern),
        (error: Error) => error.message.includes(`no file matches "${pattern}" (in ${process.cwd()})`),
      );
    });

    it("says how to name the files of a folder", async () => {
      await assert.rejects(
        () => read(folder),
        (error: Error) => error.message.includes(`cannot read "${folder}": it is a folder; name files in it, e.g. "${folder}/*.txt"`),
      );
    });

    it("reports a file without permission", async function () {
      if (process.getuid?.() === 0) this.skip(); // root reads everything
      const path = await write("a.txt", "secret");
      await chmod(path, 0);
      await assert.rejects(() => read(path), /permission denied/);
    });

    it("reports a compressed file that is cut off", async () => {
      const path = await write("a.txt.gz", gzipSync("x".repeat(1000)).subarray(0, 15));
      await assert.rejects(() => read(path), /a\.txt\.gz.*unexpected end of file/);
    });

    it("reports a line beyond the limit", async () => {
      const path = await write("a.txt", `short\n${"x".repeat(100)}\n`);
      await assert.rejects(() => read(path, { maxLineBytes: 99 }), /a\.txt: the line at byte 6 is longer than 99 bytes/);
      assert.equal((await read(path, { maxLineBytes: 100 })).length, 2);
    });

    it("refuses a range of no bytes at once", () => {
      assert.throws(() => textIO.read("x", { rangeBytes: 0 }), /rangeBytes must be a whole number above 0, not 0/);
    });
  });
});
