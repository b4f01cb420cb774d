import { closeSync, openSync, readSync } from "node:fs";
import { run } from "beamstorm";
import { local } from "beamstorm/local";
import { fileCount } from "../file-count.js";
import { makeText, textPath, wordsOf } from "../text-file.js";
import { expectEqual, type Work } from "../work.js";
import { counted, expectWords } from "../word-count.js";

const module = new URL("../file-count.js", import.meta.url).href;

async function runOn(workers: number, bytes: number): Promise<void> {
  const { elements } = await run(fileCount, { input: textPath(bytes) }, local({ workers, module }));
  expectEqual(elements.get("split"), wordsOf(bytes), "words split");
}

/** Blocks of 256 KiB, decoded as a whole. */
function loop(bytes: number): void {
  const counts = new Map<string, number>();
  const file = openSync(textPath(bytes), "r");
  const buffer = Buffer.allocUnsafe(256 * 1024);
  let rest = "";
  for (let length = readSync(file, buffer); length > 0; length = readSync(file, buffer)) {
    const lines = (rest + buffer.latin1Slice(0, length)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) for (const word of line.split(" ")) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  closeSync(file);
  counted.words = 0;
  for (const count of counts.values()) counted.words += count;
  expectWords(wordsOf(bytes));
}

export const work: Work = {
  title: "word count of a text file, lines of ten words; the start of the workers is part of the time",
  unit: "bytes",
  target: "60 MB/s below 512 MB with one worker; 1.5 × that with two on two cores",
  size: 1_000_000_000,
  quickSize: 200_000_000,
  warmUpSize: 20_000_000,
  prepare: async (sizes) => sizes.forEach(makeText),
  sides: [
    { name: "beamstorm, 1 worker", run: (bytes) => runOn(1, bytes) },
    { name: "beamstorm, 2 workers", run: (bytes) => runOn(2, bytes) },
    { name: "hand-written loop", run: loop },
  ],
};
