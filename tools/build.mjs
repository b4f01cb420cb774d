// Compiles the sources to dist/ with TypeScript 7, incrementally, and does nothing when no source has changed.
//
// B1. dist/ holds what the sources give and nothing else: what has no source any more is removed.
// B2. A stamp is written only after a build without errors, so a failed build is tried again.
// B3. The compiler's record of its last run is kept out of dist/, and dropped when one of its outputs is missing:
//     the compiler itself would not notice.
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setup } from "./setup.mjs";
import { bin, CommandFailure, filesUnder, isMain, main, node, progress, readIfThere, root, seconds, stampOf } from "./lib.mjs";

const folders = ["sdk", "portability", "runner", "local", "cli"];
const settings = ["package.json", "tsconfig.json", "tools/build.mjs"];
const generated = "portability/protos/gen/";
const templates = "cli/templates/";
const stampFile = ".cache/build.stamp";
const compilerRecord = ".cache/build.tsbuildinfo";
const command = "dist/cli/main.js";

export async function build() {
  await setup();
  const sources = folders.flatMap(filesUnder);
  const stamp = stampOf([...settings, ...sources]);
  const outputs = sources.flatMap(outputsOf);
  const missing = outputs.some((file) => !existsSync(join(root, file)));
  if (!missing && readIfThere(stampFile) === stamp) return;
  const started = performance.now();
  progress("building …");
  mkdirSync(join(root, ".cache"), { recursive: true });
  if (missing) rmSync(join(root, compilerRecord), { force: true });
  await compile();
  sources.filter(isCopied).forEach(copyToDist);
  removeAllBut(new Set(outputs));
  if (existsSync(join(root, command))) chmodSync(join(root, command), 0o755);
  writeFileSync(join(root, stampFile), stamp);
  progress(`built in ${seconds(started)}`);
}

async function compile() {
  const { code } = await node([bin.tsc, "-p", "tsconfig.json", "--tsBuildInfoFile", compilerRecord]);
  if (code !== 0) throw new CommandFailure("the build failed; see above");
}

/** What is in the package as it is: generated code, and the files of new projects. */
const isCopied = (source) => source.startsWith(templates) || (source.startsWith(generated) && /\.(js|d\.ts)$/.test(source));

function outputsOf(source) {
  if (isCopied(source)) return [`dist/${source}`];
  if (!source.endsWith(".ts") || source.endsWith(".d.ts")) return [];
  const stem = `dist/${source.slice(0, -".ts".length)}`;
  return [`${stem}.js`, `${stem}.js.map`, `${stem}.d.ts`];
}

function copyToDist(source) {
  const target = join(root, "dist", source);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(join(root, source), target);
}

function removeAllBut(outputs) {
  for (const file of filesUnder("dist")) {
    if (!outputs.has(file)) rmSync(join(root, file), { force: true });
  }
}

if (isMain(import.meta)) await main(build);
