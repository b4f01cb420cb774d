import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { countPerElement, create, flatMap, kv, pipeline, run } from "beamstorm";
import { local } from "beamstorm/local";
import { assertElements } from "beamstorm/testing";
import topWords, { wordsOf } from "../src/pipeline.js";

test("counts words, whatever their case", async () => {
  // A part of the pipeline, with an assertion as its last step: it fails the run.
  const counts = pipeline((p) =>
    p
      .apply(create(["To be,", "or not to be"]))
      .apply(flatMap(wordsOf))
      .apply(countPerElement())
      .apply(assertElements([kv("to", 2), kv("be", 2), kv("or", 1), kv("not", 1)])),
  );
  await run(counts, {}, local());
});

test("writes the most frequent words", async () => {
  const folder = await mkdtemp(join(tmpdir(), "top-words-"));
  try {
    await writeFile(join(folder, "in.txt"), "a rose is a rose is a rose\nwhat a rose\n");
    const output = join(folder, "out.csv");
    const { elements } = await run(topWords, { input: join(folder, "in.txt"), output, top: 2 }, local());
    assert.equal(elements.get("split"), 11);
    const [header, ...records] = (await readFile(output, "utf8")).trimEnd().split("\n");
    assert.equal(header, "word,count");
    assert.deepEqual(records.sort(), ["a,4", "rose,4"]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
