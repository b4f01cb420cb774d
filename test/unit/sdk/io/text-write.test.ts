import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { local } from "../../../../local/index.js";
import { create, map, pipeline, reshuffle, run, textIO } from "../../../../sdk/index.js";
import { failing } from "../../../support/failing-files.js";
import type { WriteOptions } from "../../../../sdk/io/text/index.js";

async function write(lines: readonly string[], path: string, options: WriteOptions = {}): Promise<string[]> {
  const names: string[] = [];
  const definition = pipeline((p) =>
    p
      .apply(create(lines))
      .apply(textIO.write(path, options))
      .apply(map((name) => names.push(name))),
  );
  await run(definition, {}, local());
  return names.sort();
}

describe("textIO.write", () => {
  let folder: string;
  let target: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "text-write-"));
    target = join(folder, "out.txt");
  });
  afterEach(() => rm(folder, { recursive: true }));
  const linesOf = async (path: string): Promise<string[]> => (await readFile(path, "utf8")).split("\n").sort();

  it("writes one file, named as given, and gives its name", async () => {
    assert.deepEqual(await write(["b", "ä", ""], target), [target]);
    assert.deepEqual(await linesOf(target), ["", "", "b", "ä"]);
    assert.deepEqual(await readdir(folder), ["out.txt"]);
  });

  it("makes the folders that are missing", async () => {
    const deep = join(folder, "a/b/c.txt");
    await write(["x"], deep);
    assert.equal(await readFile(deep, "utf8"), "x\n");
  });

  it("replaces what was there", async () => {
    await writeFile(target, "old");
    await write(["new"], target);
    assert.equal(await readFile(target, "utf8"), "new\n");
  });

  it("writes an empty file for no lines", async () => {
    await write([], target);
    assert.equal(await readFile(target, "utf8"), "");
  });

  it("writes as many shards as told, all lines in one of them", async () => {
    const lines = Array.from({ length: 100 }, (_, i) => `line ${i}`);
    const names = await write(lines, join(folder, "out"), { shards: 3, suffix: ".txt" });
    const expected = ["out-00000-of-00003.txt", "out-00001-of-00003.txt", "out-00002-of-00003.txt"];
    assert.deepEqual(
      names,
      expected.map((name) => join(folder, name)),
    );
    assert.deepEqual((await readdir(folder)).sort(), expected);
    const texts = await Promise.all(names.map((name) => readFile(name, "utf8")));
    assert.deepEqual(texts.join("").trimEnd().split("\n").sort(), lines.sort());
  });

  it("writes more than its buffer holds", async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i} ${"x".repeat(30)}`);
    await write(lines, target);
    assert.deepEqual((await readFile(target, "utf8")).trimEnd().split("\n").sort(), lines.sort());
  });

  for (const step of ["write part", "close part", "write", "close", "publish"] as const)
    it(`leaves the old file and nothing else when the disk is full in \`${step}\``, async () => {
      await writeFile(target, "old");
      await assert.rejects(
        () => write(["new"], target, { files: failing(step, "ENOSPC") }),
        (error: Error) =>
          error.message.includes(`cannot write "${target}": no space is left on the device; what was there before is unchanged`),
      );
      assert.equal(await readFile(target, "utf8"), "old");
      assert.deepEqual(await readdir(folder), ["out.txt"]);
    });

  /** Writes a file a line, then does what the last line says. */
  const writing = (last: () => Promise<string>) =>
    pipeline((p) =>
      p
        .apply(create(["a", "b", "c", "last"]))
        .apply(reshuffle())
        .apply(map((line) => (line === "last" ? last() : line)))
        .apply(textIO.write(target)),
    );
  const runtime = { bundleElements: 1, batchBytes: 1 };
  const hidden = async (): Promise<string[]> => (await readdir(folder)).filter((name) => name.startsWith("."));

  it("leaves nothing when the run fails after bundles have been written", async () => {
    let before: string[] = [];
    const broken = writing(async () => {
      before = await hidden();
      throw new Error("no more");
    });
    await assert.rejects(run(broken, {}, local({ runtime })), /no more/);
    assert.equal(before.length, 3, "the bundles before had been written");
    assert.deepEqual(await readdir(folder), []);
  });

  it("leaves nothing when the run is cancelled after bundles have been written", async () => {
    let reached!: () => void;
    const there = new Promise<void>((resolve) => (reached = resolve));
    const waiting = writing(() => {
      reached();
      return new Promise<string>(() => {});
    });
    const started = await local({ runtime }).start(waiting, {});
    await there;
    assert.equal((await hidden()).length, 3, "the bundles before had been written");
    await started.cancel();
    assert.deepEqual(await readdir(folder), []);
  });

  it("says that the target is a folder", async () => {
    await mkdir(target);
    await assert.rejects(() => write(["x"], target), /cannot write ".*out\.txt": it is a folder/);
    assert.deepEqual(await readdir(folder), ["out.txt"]);
  });

  it("says that a part of the path is a file", async () => {
    await writeFile(target, "file");
    await assert.rejects(() => write(["x"], join(target, "below.txt")), /a part of the path is a file, not a folder/);
  });

  for (const [code, message] of [
    ["EACCES", "permission denied"],
    ["EROFS", "the file system is read-only"],
    ["EIO", "EIO: from the system"],
  ])
    it(`explains ${code}`, async () => {
      await assert.rejects(() => write(["x"], target, { files: failing("write part", code) }), new RegExp(`cannot write.*${message}`));
    });

  for (const shards of [0, -1, 1.5, NaN, 100_001])
    it(`refuses ${shards} shards at once`, () => {
      assert.throws(() => textIO.write("x", { shards }), /shards must be a whole number from 1 to 100000/);
    });
});
