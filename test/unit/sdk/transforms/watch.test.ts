// Sets that grow, and files that come, on a clock that goes on by itself.
import assert from "node:assert/strict";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetFormat } from "../../../../sdk/io/parquet/write.js";
import { avroFormat } from "../../../../sdk/io/avro/write.js";
import {
  avro,
  create,
  csv,
  files,
  fixed,
  groupByKey,
  jsonLines,
  map,
  parquet,
  reifyTimestamps,
  schema,
  seconds,
  textIO,
  UserCodeError,
  watch,
  windowInto,
  withKeys,
  withTimestamps,
  type PCollection,
  type Pipeline,
  type WatchOptions,
} from "../../../../sdk/index.js";
import { runPipeline } from "../../../../local/testing.js";
import { bytesOf } from "../../../support/memory-file.js";

const inTime = { virtualTime: true };

/** What is found, and when, of sets that are looked at in this order. */
async function found(looks: readonly (readonly string[])[], options: Omit<WatchOptions<string, string>, "poll">): Promise<string[]> {
  let look = 0;
  const poll = (): readonly string[] => looks[Math.min(look++, looks.length - 1)];
  const all = await runPipeline(
    (p) =>
      p
        .apply(create(["set"]))
        .apply(watch({ ...options, poll }))
        .apply(reifyTimestamps()),
    inTime,
  );
  return all.map(({ value: { key, value }, timestamp }) => `${key}: ${value} at ${timestamp}`);
}

describe("watch", () => {
  it("puts out what is new, with the time at which it was found", async () => {
    assert.deepEqual(
      await found(
        [
          ["a", "b"],
          ["b", "a"],
          ["a", "b", "c", "c"],
        ],
        { everyMs: 100, stopAfterMs: 250 },
      ),
      ["set: a at 0", "set: b at 0", "set: c at 200"],
    );
  });

  it("tells outputs apart by what the author says", async () => {
    const keyOf = (output: string): unknown => ({ initial: output[0] });
    assert.deepEqual(
      await found(
        [
          ["a1", "a2"],
          ["a3", "b1"],
        ],
        { keyOf, everyMs: 1, stopAfterMs: 1 },
      ),
      ["set: a1 at 0", "set: b1 at 1"],
    );
  });

  it("looks a last time at the end", async () => {
    assert.deepEqual(await found([["a"], ["a"], ["a", "b"], ["a", "b", "c"]], { everyMs: 100, stopAfterMs: 150 }), [
      "set: a at 0",
      "set: b at 150",
    ]);
  });

  it("ends when nothing new has come for long enough", async () => {
    const looks = [["a"], ["a"], ["a", "b"], ["a", "b"], ["a", "b"], ["a", "b"], ["a", "b", "late"]];
    assert.deepEqual(await found(looks, { everyMs: 10, stopAfterQuietMs: 30 }), ["set: a at 0", "set: b at 20"]);
  });

  it("ends when the set is complete", async () => {
    const outputs = ["a", "b"];
    const all = await runPipeline(
      (p) => p.apply(create(["set"])).apply(watch({ everyMs: 10, poll: () => Promise.resolve({ outputs, isComplete: true }) })),
      inTime,
    );
    assert.deepEqual(
      all.map(({ value }) => value),
      outputs,
    );
  });

  it("watches several elements, each in its own time", async () => {
    const all = await runPipeline(
      (p) =>
        p
          .apply(create([1, 2]))
          .apply(watch({ everyMs: 10, stopAfterMs: 20, poll: (n: number) => [n, n * 10] }))
          .apply(map(({ key, value }) => `${key} ${value}`)),
      inTime,
    );
    assert.deepEqual(
      all.sort((a, b) => a.localeCompare(b)),
      ["1 1", "1 10", "2 2", "2 20"],
    );
  });

  for (const [what, options, expected] of [
    [
      "by the time at which they were found",
      {},
      ["look", "look", "0 until 10000", "look", "1 until 20000", "look", "2 until 30000", "look"],
    ],
    [
      "when the set says so",
      { timestampOf: (n: number) => seconds(11 * n), isSaid: true },
      ["look", "0 until 10000", "look", "1 until 20000", "look", "2 until 30000", "look", "look"],
    ],
    ["when it is watched no more, if nobody says so", { timestampOf: (n: number) => seconds(11 * n) }, Array<string>(5).fill("look")],
  ] as const)
    it(`completes windows of its outputs ${what}`, async () => {
      let looks = 0;
      const log: string[] = [];
      const poll = () => {
        log.push("look");
        const outputs = Array.from({ length: Math.min(3, ++looks) }, (_, i) => i);
        return "isSaid" in options ? { outputs, watermark: seconds(11 * looks) } : { outputs };
      };
      await runPipeline(
        (p) =>
          p
            .apply(create(["set"]))
            .apply(withTimestamps(() => 0))
            .apply(watch({ ...options, everyMs: seconds(12), stopAfterMs: seconds(48), poll }))
            .apply(windowInto(fixed(seconds(10))))
            .apply(map(({ value }) => value))
            .apply(withKeys(() => "key"))
            .apply(groupByKey())
            .apply(map(({ value }, { window }) => void log.push(`${[...value].join()} until ${window.maxTimestamp + 1}`))),
        inTime,
      );
      assert.deepEqual(log.slice(0, expected.length), expected);
      assert.equal(log.length, 8);
    });

  it("fails with the element where the set cannot be looked at", async () => {
    const failing = runPipeline(
      (p) => p.apply(create(["set"])).apply(watch({ everyMs: 1, poll: () => Promise.reject<string[]>(new Error("gone")) })),
      { runtime: { retryDelayMs: 0 } },
    );
    await assert.rejects(failing, (error: unknown) => error instanceof UserCodeError && /gone \(element "set"/.test(error.message));
  });

  it("refuses times that are none", () => {
    const poll = (): string[] => [];
    assert.throws(() => watch({ poll, everyMs: 0 }), /everyMs must be above 0/);
    assert.throws(() => watch({ poll, everyMs: 1, stopAfterMs: -1 }), /stopAfterMs must be 0 or more/);
    assert.throws(() => watch({ poll, everyMs: 1, stopAfterQuietMs: NaN }), /stopAfterQuietMs must be 0 or more/);
  });
});

describe("reading files that come", () => {
  let folder: string;
  const Row = schema.row({ id: schema.int64 });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "beamstorm-watch-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const times = { watch: { everyMs: 10, stopAfterQuietMs: 50 } };
  const formats: Record<string, { bytes: (n: number) => Promise<string | Uint8Array>; read: (p: Pipeline) => PCollection<unknown> }> = {
    txt: { bytes: (n) => Promise.resolve(`${n}\n`), read: (p) => p.apply(textIO.read(`${folder}/*.txt`, times)) },
    csv: { bytes: (n) => Promise.resolve(`id\n${n}\n`), read: (p) => p.apply(csv.read(`${folder}/*.csv`, Row, times)) },
    jsonl: { bytes: (n) => Promise.resolve(`{"id":${n}}\n`), read: (p) => p.apply(jsonLines.read(`${folder}/*.jsonl`, times)) },
    avro: { bytes: (n) => bytesOf(avroFormat(Row), [{ id: BigInt(n) }]), read: (p) => p.apply(avro.read(`${folder}/*.avro`, Row, times)) },
    parquet: {
      bytes: (n) => bytesOf(parquetFormat(Row), [{ id: BigInt(n) }]),
      read: (p) => p.apply(parquet.read(`${folder}/*.parquet`, Row, times)),
    },
  };
  for (const [ending, { bytes, read }] of Object.entries(formats))
    it(`reads each of them once: ${ending}`, async () => {
      await writeFile(join(folder, `1.${ending}`), await bytes(1));
      const second = await bytes(2);
      const seen: string[] = [];
      const all = await runPipeline(
        (p) =>
          read(p).apply(
            map((record) => {
              const id = typeof record === "string" ? record : String((record as { id: unknown }).id);
              seen.push(id);
              if (seen.length === 1) writeFileSync(join(folder, `2.${ending}`), second);
              return id;
            }),
          ),
        inTime,
      );
      assert.deepEqual(all, ["1", "2"]);
    });

  it("waits for a file that is named and not there yet", async () => {
    const path = join(folder, "later.txt");
    await writeFile(`${path}.part`, "here\n");
    let looks = 0;
    const lines = await runPipeline((p) => {
      // Beside it, something that makes the file appear after a while.
      p.apply(create(["clock"])).apply(
        watch({ everyMs: 10, stopAfterMs: 40, poll: async () => (++looks === 3 ? (await rename(`${path}.part`, path), []) : []) }),
      );
      return p.apply(textIO.read(path, { watch: { everyMs: 10, stopAfterMs: 60 } }));
    }, inTime);
    assert.deepEqual(lines, ["here"]);
  });

  it("finds files of patterns that are elements", async () => {
    await writeFile(join(folder, "a.txt"), "");
    const paths = await runPipeline(
      (p) =>
        p
          .apply(create([`${folder}/*.txt`, `${folder}/*.none`]))
          .apply(files.matchAll({ watch: { everyMs: 10, stopAfterMs: 20 } }))
          .apply(map(({ path }) => path)),
      inTime,
    );
    assert.deepEqual(paths, [join(folder, "a.txt")]);
  });
});
