import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import {
  create,
  csv,
  files,
  fixed,
  jsonLines,
  map,
  minutes,
  seconds,
  sequence,
  textIO,
  windowInto,
  type PCollection,
  type Window,
  type WindowOptions,
} from "../../../../sdk/index.js";
import { testStream } from "../../../../sdk/testing/index.js";
import type { FileSystem } from "../../../../sdk/io/files/file-system.js";
import { localFiles } from "../../../../sdk/io/files/local-files.js";
import { failing } from "../../../support/failing-files.js";
import { outputOf } from "../../../support/output-of.js";

const orders = [
  { id: 1, country: "DE" },
  { id: 2, country: "FR" },
  { id: 3, country: "DE" },
  { id: 4, country: "DE" },
];

/** A format whose files cannot be put together from parts: it begins with the number of its records. */
const counted: files.WriteFormat<{ id: number }> = {
  parts: "whole",
  suffix: ".counted",
  open(sink) {
    const ids: number[] = [];
    return {
      write: ({ id }) => void ids.push(id),
      finish: () => sink.write(Buffer.from(`${ids.length}:${ids.sort((a, b) => a - b).join()}`)),
    };
  },
};

describe("files", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "files-"));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const contents = async (): Promise<Record<string, string>> => {
    const found = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((each) => each.isFile());
    const paths = found.map(({ parentPath, name }) => join(parentPath, name)).sort();
    return Object.fromEntries(
      await Promise.all(paths.map(async (path) => [relative(folder, path), await readFile(path, "utf8")] as const)),
    );
  };
  const sortedLines = (text: string): string[] => text.trimEnd().split("\n").sort();

  context("when they are matched", () => {
    beforeEach(async () => {
      await mkdir(join(folder, "deep"));
      await writeFile(join(folder, "a.txt"), "one");
      await writeFile(join(folder, "b.txt.gz"), gzipSync("two"));
      await writeFile(join(folder, "deep/c.txt"), "three");
      await writeFile(join(folder, ".hidden.txt"), "no");
    });

    it("have names, sizes and times", async () => {
      const found = await outputOf((p) => p.apply(files.match(join(folder, "**/*.txt"))));
      found.sort((a, b) => a.size - b.size);
      assert.deepEqual(
        found.map(({ path, size }) => [relative(folder, path), size]),
        [
          ["a.txt", 3],
          ["deep/c.txt", 5],
        ],
      );
      for (const { modified } of found) assert.ok(Math.abs(Date.now() - modified) < 3_600_000, String(modified));
    });

    it("can be read, decompressed", async () => {
      const texts = await outputOf((p) =>
        p
          .apply(create([join(folder, "*.{txt,gz}"), join(folder, "deep/*")]))
          .apply(files.matchAll())
          .apply(files.readMatches())
          .apply(map(async (file) => `${file.compression} ${await files.readText(file)}`)),
      );
      assert.deepEqual(texts.sort(), ["gzip two", "none one", "none three"]);
    });

    it("are read by a format, named as a URL", async () => {
      const whole: files.ReadFormat<string> = {
        access: "random",
        async *records(file) {
          yield [Buffer.from(await file.read(1, file.size)).toString()];
        },
      };
      const tails = await outputOf((p) => p.apply(files.match(`file://${folder}/**/*.txt`)).apply(files.read(whole)));
      assert.deepEqual(tails.sort(), ["hree", "ne"]);
    });

    it("fail the run when there are none, unless that is allowed", async () => {
      const pattern = join(folder, "*.none");
      await assert.rejects(
        outputOf((p) => p.apply(files.match(pattern))),
        /no file matches ".*\*\.none"/,
      );
      assert.deepEqual(await outputOf((p) => p.apply(files.match(pattern, { empty: "allow" }))), []);
    });
  });

  context("when they are written by destination", () => {
    it("are one for each destination that has elements", async () => {
      const names = await outputOf((p) =>
        p.apply(create(orders)).apply(csv.write(join(folder, "by-*.csv"), ["id"], { destination: ({ country }) => country })),
      );
      assert.deepEqual(names.sort(), [join(folder, "by-DE.csv"), join(folder, "by-FR.csv")]);
      const { "by-DE.csv": de, ...rest } = await contents();
      assert.deepEqual(sortedLines(de), ["1", "3", "4", "id"]);
      assert.ok(de.startsWith("id\n"));
      assert.deepEqual(rest, { "by-FR.csv": "id\n2\n" });
    });

    it("may be in folders, sharded, compressed", async () => {
      const path = join(folder, "*/orders");
      await outputOf((p) =>
        p.apply(create(orders)).apply(jsonLines.write(path, { destination: ({ country }) => country, shards: 2, suffix: ".jsonl.gz" })),
      );
      const names = ["DE/orders", "FR/orders"].flatMap((name) => [`${name}-00000-of-00002.jsonl.gz`, `${name}-00001-of-00002.jsonl.gz`]);
      assert.deepEqual(Object.keys(await contents()), names);
      const lines = await outputOf((p) => p.apply(textIO.read(join(folder, "DE/*.gz"))));
      assert.deepEqual(lines.sort(), ['{"id":1,"country":"DE"}', '{"id":3,"country":"DE"}', '{"id":4,"country":"DE"}']);
    });

    it("may be more than a bundle has open at a time", async () => {
      const numbers = Array.from({ length: 1000 }, (_, i) => i);
      await outputOf((p) =>
        p
          .apply(create(numbers))
          .apply(map(String))
          .apply(textIO.write(join(folder, "*.txt"), { destination: (line) => String(Number(line) % 200) })),
      );
      const found = await contents();
      assert.equal(Object.keys(found).length, 200);
      for (const [name, text] of Object.entries(found))
        assert.deepEqual(sortedLines(text), [0, 200, 400, 600, 800].map((n) => String(n + Number(name.replace(".txt", "")))).sort());
    });

    it("are 64 at most that a bundle has open", async () => {
      let open = 0;
      let most = 0;
      const counting: FileSystem = {
        ...localFiles,
        async create(path) {
          const file = await localFiles.create(path);
          most = Math.max(most, ++open);
          return { ...file, close: () => file.close().then(() => void open--) };
        },
      };
      const target = { destination: ({ id }: { id: number }) => String(id), files: counting };
      const numbered = Array.from({ length: 100 }, (_, id) => ({ id, text: "more than is buffered".repeat(13_000) }));
      await outputOf((p) => p.apply(create(numbered)).apply(jsonLines.write(join(folder, "*.jsonl"), target)));
      assert.deepEqual([most, open], [64, 0]);
    });

    for (const name of ["../up", "a//b", "", ".", "a/.hidden", "a\0b", "a\\..\\b"])
      it(`refuse ${JSON.stringify(name)}, which would lead elsewhere`, async () => {
        const writing = outputOf((p) => p.apply(create(["x"])).apply(textIO.write(join(folder, "in/*"), { destination: () => name })));
        await assert.rejects(writing, /cannot be a part of a file name/);
        assert.deepEqual(await contents(), {});
      });

    it("ask for the place of the destination in the path", () => {
      assert.throws(() => textIO.write("out.txt", { destination: (line) => line }), /write "out\.txt" with one \* in it/);
    });
  });

  context("of a format that is written whole", () => {
    const write = (options: files.WriteFilesOptions<(typeof orders)[number]>, path = "out", runtime = {}) =>
      outputOf((p) => p.apply(create(orders)).apply(files.write(join(folder, path), counted, options)), runtime);

    it("are written by one writer each, whatever the bundles", async () => {
      assert.deepEqual(await write({}, "out.counted", { bundleElements: 1, batchBytes: 1 }), [join(folder, "out.counted")]);
      assert.deepEqual(await contents(), { "out.counted": "4:1,2,3,4" });
    });

    it("are sharded, empty shards too", async () => {
      await write({ shards: 6 });
      const found = await contents();
      assert.equal(Object.keys(found).length, 6);
      assert.ok("out-00005-of-00006.counted" in found);
      assert.equal(Object.values(found).filter((text) => text === "0:").length, 2);
    });

    it("have destinations", async () => {
      await write({ destination: ({ country }) => country, suffix: ".n" }, "*/orders");
      assert.deepEqual(await contents(), { "DE/orders.n": "3:1,3,4", "FR/orders.n": "1:2" });
    });

    it("are there without an element, too", async () => {
      await outputOf((p) => p.apply(create<{ id: number }>([])).apply(files.write(join(folder, "none"), counted)));
      assert.deepEqual(await contents(), { none: "0:" });
    });

    for (const step of ["write", "close", "publish"] as const)
      it(`leave the old file and nothing else when the disk is full in \`${step}\``, async () => {
        await writeFile(join(folder, "out"), "old");
        await assert.rejects(write({ files: failing(step, "ENOSPC") }), /cannot write ".*out": no space is left on the device/);
        assert.deepEqual(await contents(), { out: "old" });
      });

    it("refuse to be compressed as a whole", () => {
      assert.throws(() => files.write("out", counted, { compression: "gzip" }), /compressed inside/);
    });
  });

  context("when they are written by windows", () => {
    const clicks = (write: (lines: PCollection<string>) => PCollection<string>, panes: WindowOptions = {}) =>
      outputOf((p) =>
        write(
          p
            .apply(
              testStream<string>().at(0, "a").at(seconds(59), "b").watermark(minutes(1)).at(minutes(1), "c").late(seconds(1), "d").end(),
            )
            .apply(windowInto(fixed(minutes(1)), panes)),
        ),
      );
    const first = "1970-01-01T00-00-00.000--1970-01-01T00-01-00.000";
    const second = "1970-01-01T00-01-00.000--1970-01-01T00-02-00.000";

    it("are those of each window, with its name, and of nothing that is too late", async () => {
      const names = await clicks((lines) => lines.apply(textIO.write(join(folder, "clicks"), { windowed: true, suffix: ".txt" })));
      assert.deepEqual(names.sort(), [join(folder, `clicks-${first}.txt`), join(folder, `clicks-${second}.txt`)]);
      assert.deepEqual(await contents(), { [`clicks-${first}.txt`]: "a\nb\n", [`clicks-${second}.txt`]: "c\n" });
    });

    it("are those of each pane where there are several, each with what is new", async () => {
      for (const panes of ["discarding", "accumulating"] as const) {
        const write = textIO.write(join(folder, panes), { windowed: true });
        await clicks((lines) => lines.apply(write), { allowedLatenessMs: minutes(1), panes });
      }
      const expected = (name: string) => ({
        [`${name}-${first}-pane-00000`]: "a\nb\n",
        [`${name}-${first}-pane-00001`]: "d\n",
        [`${name}-${second}`]: "c\n", // nothing can come behind it, at the end of the input
      });
      assert.deepEqual(await contents(), { ...expected("accumulating"), ...expected("discarding") });
    });

    it("have destinations, shards, headers, and compression", async () => {
      await clicks((lines) =>
        lines
          .apply(map((id) => ({ id })))
          .apply(csv.write(join(folder, "*/x"), ["id"], { windowed: true, shards: 3, destination: ({ id }) => id, suffix: ".csv.gz" })),
      );
      const read = await outputOf((p) => p.apply(textIO.read(join(folder, "a/*.csv.gz"))));
      assert.deepEqual(read, ["id", "a"]);
      const names = Object.keys(await contents()).map((name) => name.replace(/0000\d-of/, "?-of"));
      assert.deepEqual(names, [`a/x-${first}-?-of-00003.csv.gz`, `b/x-${first}-?-of-00003.csv.gz`, `c/x-${second}-?-of-00003.csv.gz`]);
    });

    it("have the names that a function gives", async () => {
      const nameOf = (window: Window): string => `minute/${Math.floor(window.maxTimestamp / 60_000)}`;
      await clicks((lines) => lines.apply(textIO.write(join(folder, "by"), { windowed: true, nameOf })));
      assert.deepEqual(await contents(), { "by-minute/0": "a\nb\n", "by-minute/1": "c\n" });
      const bad = clicks((lines) => lines.apply(textIO.write(join(folder, "by"), { windowed: true, nameOf: () => "../up" })));
      await assert.rejects(bad, /the name of a window, "\.\.\/up" cannot be a part of a file name/);
      assert.throws(() => textIO.write("x", { nameOf }), /is not written \{ windowed: true \}/);
    });

    it("leave the old file and nothing else when the disk is full", async () => {
      const name = `clicks-${first}`;
      await writeFile(join(folder, name), "old");
      const write = textIO.write(join(folder, "clicks"), { windowed: true, files: failing("write", "ENOSPC") });
      await assert.rejects(
        clicks((lines) => lines.apply(write)),
        /cannot write ".*clicks-.*": no space is left on the device/,
      );
      assert.deepEqual(await contents(), { [name]: "old" });
    });

    it("are the only ones of input that never ends", async () => {
      await assert.rejects(
        outputOf((p) =>
          p
            .apply(sequence())
            .apply(map(String))
            .apply(textIO.write(join(folder, "never"))),
        ),
        /"textIO\.write" writes input that never ends.*\{ windowed: true \}/,
      );
    });
  });

  it("refuse a scheme that nobody knows, and name those that are known", async () => {
    await assert.rejects(
      outputOf((p) => p.apply(textIO.read("gopher://host/a.txt"))),
      /no file system is known for gopher:\/\/; use s3:\/\/bucket\/key/,
    );
    assert.throws(() => textIO.write("gopher://host/a.txt"), /no file system is known for gopher/);
  });
});
