import { closeSync, existsSync, mkdirSync, openSync, readSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "beamstorm";
import { local } from "beamstorm/local";
import { fileCount } from "../file-count.js";
import { makeSentences } from "../text.js";
import { expectEqual, type Work } from "../work.js";
import { counted, expectWords } from "../word-count.js";

const WORDS_PER_LINE = 10;
const LINES = 10_000;
const module = new URL("../file-count.js", import.meta.url).href;

const pathOf = (bytes: number): string => fileURLToPath(new URL(`../../../bench/.data/text-${bytes}.txt`, import.meta.url));

/** Ten thousand lines again and again, up to the last that ends below the size; a last word fills the file up. */
function makeFile(bytes: number): void {
  const path = pathOf(bytes);
  if (existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true });
  const block = Buffer.from(`${makeSentences(LINES, WORDS_PER_LINE).join("\n")}\n`);
  const file = openSync(`${path}.part`, "w");
  let written = 0;
  for (; written + block.length < bytes; written += block.length) writeSync(file, block);
  writeSync(file, Buffer.from(`${"z".repeat(bytes - written - 1)}\n`));
  closeSync(file);
  renameSync(`${path}.part`, path);
}

function wordsOf(bytes: number): number {
  const block = Buffer.byteLength(`${makeSentences(LINES, WORDS_PER_LINE).join("\n")}\n`);
  return Math.floor((bytes - 1) / block) * LINES * WORDS_PER_LINE + 1;
}

async function runOn(workers: number, bytes: number): Promise<void> {
  const { elements } = await run(fileCount, { input: pathOf(bytes) }, local({ workers, module }));
  expectEqual(elements.get("split"), wordsOf(bytes), "words split");
}

/** Blocks of 256 KiB, decoded as a whole. */
function loop(bytes: number): void {
  const counts = new Map<string, number>();
  const file = openSync(pathOf(bytes), "r");
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
  prepare: async (sizes) => sizes.forEach(makeFile),
  sides: [
    { name: "beamstorm, 1 worker", run: (bytes) => runOn(1, bytes) },
    { name: "beamstorm, 2 workers", run: (bytes) => runOn(2, bytes) },
    { name: "hand-written loop", run: loop },
  ],
};
