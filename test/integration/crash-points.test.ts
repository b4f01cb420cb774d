// Writing files with checkpoints, where the process dies behind any one thing that it does with the file system, and is started again.
import assert from "node:assert/strict";
import { mkdtemp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { local } from "../../local/index.js";
import {
  create,
  files,
  fixed,
  hours,
  kv,
  map,
  PermanentError,
  pipeline,
  reshuffle,
  run,
  seconds,
  sequence,
  textIO,
  windowInto,
  withTimestamps,
  type KV,
  type PCollection,
} from "../../sdk/index.js";
import type { FileSystem } from "../../sdk/io/files/file-system.js";
import { CrashingFiles } from "../support/crashing-files.js";

/** Files that begin with the number of their records. */
const counted: files.WriteFormat<string> = {
  parts: "whole",
  suffix: "",
  open(sink) {
    const lines: string[] = [];
    return {
      write: (line) => void lines.push(line),
      finish: () => sink.write(Buffer.from(`count ${lines.length}\n${lines.join("\n")}`)),
    };
  },
};

const destination = (line: string): string => (Number(line) < 4 ? "low" : "high");
/** Another one each time that a line is processed. */
const anywhere = (): string => `any${Math.floor(Math.random() * 1000)}`;

type Write = (path: string, options: files.WriteFilesOptions<string>) => (lines: PCollection<string>) => PCollection<string>;
const writeText: Write = (path, options) => (lines) => lines.apply(textIO.write(path, { ...options, destination, shards: 2 }));
const writeCounted: Write = (path, options) => (lines) => lines.apply(files.write(path, counted, { ...options, destination, shards: 2 }));
const inWindows =
  (write: Write): Write =>
  (path, options) =>
  (lines) =>
    lines.apply(windowInto(fixed(seconds(4)))).apply(write(path, { ...options, windowed: true }));

const CASES: Readonly<Record<string, Write>> = {
  "lines, each of them anywhere": (path, options) => (lines) =>
    lines.apply(map((line) => kv(anywhere(), line))).apply(
      files.write(
        path,
        files.lines<KV<string, string>>(({ value }) => value),
        { ...(options as object), destination: ({ key }) => key },
      ),
    ),
  "lines, put together of parts": writeText,
  "files that are written whole": writeCounted,
  "lines of windows": inWindows(writeText),
  "files of windows that are written whole": inWindows(writeCounted),
};

describe("files that are written by a process that dies", function () {
  this.timeout(100_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "crash-points-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const attempt = (write: Write, out: string, checkpointIntervalMs: number, fs?: FileSystem) =>
    run(
      pipeline((p) => {
        const lines = p
          .apply(create(Array.from({ length: 6 }, (_, n) => n)))
          .apply(withTimestamps((n) => n * 1000))
          .apply(map(String))
          .apply(reshuffle());
        write(join(out, "*.txt"), fs === undefined ? {} : { files: fs })(lines);
      }),
      {},
      local({
        checkpointDir: join(out, "../checkpoints"),
        checkpointIntervalMs,
        runtime: { bundleAttempts: 1, bundleElements: 3, batchBytes: 1 },
      }),
    );

  /** By names; shards of one file together, and those of lines that are anywhere, since which has which line may differ. */
  async function contents(out: string): Promise<Record<string, string>> {
    const found: Record<string, string[]> = {};
    for (const name of (await readdir(out)).sort()) {
      const lines = (await readFile(join(out, name), "utf8")).split("\n").filter(Boolean);
      if (lines[0]?.startsWith("count ")) assert.equal(lines.shift(), `count ${lines.length}`);
      (found[name.replace(/-0000\d-of-/, "-?-of-").replace(/^any\d+\.txt$/, "anywhere")] ??= []).push(...lines);
    }
    return Object.fromEntries(Object.entries(found).map(([name, lines]) => [name, lines.sort().join()]));
  }

  for (const [what, write] of Object.entries(CASES)) {
    // Where lines are dealt out anew each time there are no checkpoints but those that publishing waits for: nothing else keeps it from being undone.
    const intervalMs = what.endsWith("anywhere") ? hours(1) : 5;
    it(`are the same in the end, and nothing else is left: ${what}`, async () => {
      await mkdir(join(folder, "whole/out"), { recursive: true });
      await attempt(write, join(folder, "whole/out"), intervalMs);
      const expected = await contents(join(folder, "whole/out"));
      const points = new Set<string>();
      for (let at = 0; ; at++) {
        const out = join(folder, `${at}/out`);
        await mkdir(out, { recursive: true });
        await writeFile(join(out, ".low.txt.part-somebody.1.x-0123456789abcdef"), "not ours");
        const crashing = new CrashingFiles(at);
        const isOver = await attempt(write, out, intervalMs, crashing.files).then(
          () => true,
          () => false,
        );
        if (crashing.died === undefined) break;
        points.add(crashing.died);
        // What fails at the end, behind the last checkpoint, fails nothing.
        if (!isOver) await attempt(write, out, intervalMs);
        const { ".low.txt.part-somebody.1.x-0123456789abcdef": others, ...found } = await contents(out);
        assert.deepEqual(found, expected, `died behind step ${at}, ${crashing.died}`);
        assert.equal(others, "not ours");
      }
      for (const step of ["replace", "write", "close", "publish"]) assert.ok(points.has(step), step);
    });
  }
});

describe("files of a run with checkpoints that fails", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "failing-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("are kept as they are until another run has gone on with them", async () => {
    let isBroken = true;
    const attempt = () =>
      run(
        pipeline((p) =>
          p
            .apply(sequence({ to: 100, perSecond: 200, parallelism: 1 }))
            .apply(
              map((n) => {
                if (n === 60 && isBroken) throw new PermanentError("not yet");
                return String(n);
              }),
            )
            .apply(textIO.write(join(folder, "out.txt"))),
        ),
        {},
        local({ checkpointDir: join(folder, "checkpoints"), checkpointIntervalMs: 5 }),
      );
    const found = async (): Promise<string[]> => (await readdir(folder)).filter((name) => name !== "checkpoints");
    await assert.rejects(attempt(), /not yet/);
    const parts = await found();
    assert.ok(parts.length > 0 && parts.every((name) => name.startsWith(".out.txt.part-")), parts.join());
    isBroken = false;
    await attempt();
    assert.deepEqual(await found(), ["out.txt"]);
    assert.deepEqual(
      (await readFile(join(folder, "out.txt"), "utf8")).trimEnd().split("\n").sort(),
      Array.from({ length: 100 }, (_, n) => String(n)).sort(),
    );
  });
});
