// Text in files, for the works that read some.
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { makeSentences } from "./text.js";

const WORDS_PER_LINE = 10;
const LINES = 10_000;
/** Where the text of so many bytes is. */
export const textPath = (bytes: number): string => fileURLToPath(new URL(`../../../bench/.data/text-${bytes}.txt`, import.meta.url));

/** Ten thousand lines again and again, up to the last that ends below the size; a last word fills the file up. */
export function makeText(bytes: number): void {
  const path = textPath(bytes);
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

export function wordsOf(bytes: number): number {
  const block = Buffer.byteLength(`${makeSentences(LINES, WORDS_PER_LINE).join("\n")}\n`);
  return Math.floor((bytes - 1) / block) * LINES * WORDS_PER_LINE + 1;
}
