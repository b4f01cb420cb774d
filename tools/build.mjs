// Makes dist/ of the sources, and does nothing when none has changed: types with TypeScript 7, incrementally; JavaScript by bundle.mjs.
//
// B1. dist/ holds what the sources give and nothing else: what has no source any more is removed.
// B2. A stamp, which names all files of dist/, is written only after a build without errors, so a failed build is tried again.
// B3. The compiler's record of its last run is kept out of dist/, and dropped when one of its outputs is missing:
//     the compiler itself would not notice.
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { bundle } from "./bundle.mjs";
import { setup } from "./setup.mjs";
import { bin, CommandFailure, filesUnder, isMain, main, node, progress, readIfThere, root, seconds, stampOf } from "./lib.mjs";

const folders = ["sdk", "portability", "runner", "local", "cli"];
const settings = ["package.json", "tsconfig.json", "tools/build.mjs", "tools/bundle.mjs"];
const generated = "portability/protos/gen/";
const templates = "cli/templates/";
const stampFile = ".cache/build.stamp";
const compilerRecord = ".cache/build.tsbuildinfo";
const command = "dist/cli/main.js";

export async function build() {
  await setup();
  const sources = folders.flatMap(filesUnder);
  const stamp = stampOf([...settings, ...sources]);
  const last = lastBuild();
  const types = sources.flatMap(typesOf);
  const isThere = (file) => existsSync(join(root, file));
  if (last.stamp === stamp && last.outputs.every(isThere)) return;
  const started = performance.now();
  progress("building …");
  mkdirSync(join(root, ".cache"), { recursive: true });
  if (!types.every(isThere)) rmSync(join(root, compilerRecord), { force: true });
  await compile();
  const copied = sources.filter(isCopied);
  copied.forEach(copyToDist);
  const outputs = [...types, ...copied.map(inDist), ...(await bundle())];
  removeAllBut(new Set(outputs));
  if (existsSync(join(root, command))) chmodSync(join(root, command), 0o755);
  writeFileSync(join(root, stampFile), JSON.stringify({ stamp, outputs }));
  progress(`built in ${seconds(started)}`);
}

/** B2 */
function lastBuild() {
  try {
    return JSON.parse(readIfThere(stampFile) ?? "{}");
  } catch {
    return {}; // an earlier version's
  }
}

async function compile() {
  const { code } = await node([bin.tsc, "-p", "tsconfig.json", "--emitDeclarationOnly", "--tsBuildInfoFile", compilerRecord]);
  if (code !== 0) throw new CommandFailure("the build failed; see above");
}

/** What is in the package as it is: types of generated code, and the files of new projects. */
const isCopied = (source) => source.startsWith(templates) || (source.startsWith(generated) && source.endsWith(".d.ts"));

function typesOf(source) {
  if (isCopied(source) || !source.endsWith(".ts") || source.endsWith(".d.ts")) return [];
  return [`dist/${source.slice(0, -".ts".length)}.d.ts`];
}

const inDist = (source) => `dist/${source}`;

function copyToDist(source) {
  const target = join(root, inDist(source));
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(join(root, source), target);
}

function removeAllBut(outputs) {
  for (const file of filesUnder("dist")) {
    if (!outputs.has(file)) rmSync(join(root, file), { force: true });
  }
}

if (isMain(import.meta)) await main(build);
