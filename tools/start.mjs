// `npm start`: builds, counts the words of the texts in examples/data with the example pipeline, and prints the most frequent.
// Further arguments go to `beamstorm run`, for example `npm start -- --workers 4`.
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { CommandFailure, filesUnder, main, node, root } from "./lib.mjs";

const input = "examples/data/*.txt";
const output = "out/wordcount/counts.txt";
const shown = 20;

async function start() {
  await build();
  rmSync(join(root, "out/wordcount"), { recursive: true, force: true });
  const started = performance.now();
  const run = ["dist/cli/main.js", "run", "examples/wordcount.ts", "--input", input, "--output", output, ...process.argv.slice(2)];
  const { code } = await node(run);
  const took = (performance.now() - started) / 1000;
  if (code !== 0) throw new CommandFailure(`the word count failed with exit code ${code}; see above`);
  printSummary(readCounts(), took);
}

/** The lines `word: count` of every shard, most frequent first. */
function readCounts() {
  const counts = filesUnder("out/wordcount").flatMap((shard) =>
    readFileSync(join(root, shard), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => ({ word: line.slice(0, line.lastIndexOf(":")), count: Number(line.slice(line.lastIndexOf(":") + 1)) })),
  );
  if (counts.length === 0) throw new CommandFailure(`the word count left no lines in ${output}*`);
  return counts.sort((a, b) => b.count - a.count || (a.word < b.word ? -1 : 1));
}

function printSummary(counts, took) {
  const words = counts.reduce((sum, { count }) => sum + count, 0);
  const number = new Intl.NumberFormat("en");
  const top = counts.slice(0, shown);
  const widest = Math.max(...top.map(({ word }) => word.length), "word".length);
  console.log(`\n  ${"word".padEnd(widest)}  ${"count".padStart(7)}`);
  for (const { word, count } of top) console.log(`  ${word.padEnd(widest)}  ${number.format(count).padStart(7)}`);
  console.log(`\n  elements  ${number.format(words)} words, ${number.format(counts.length)} of them different`);
  console.log(`  rate      ${number.format(Math.round(words / took))} words a second, start of the process included`);
  console.log(`  time      ${took.toFixed(2)} s`);
  console.log(`  output    ${filesUnder("out/wordcount").join(", ")}`);
}

await main(start);
