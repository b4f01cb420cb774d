// Installs the dependencies when they are missing or are not those of the lock file. Every other command calls it first.
// The stamp is a hash of the dependencies that package.json names and of the lock file, so a changed script installs nothing.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandFailure, isMain, main, progress, readIfThere, root, runProgram, seconds } from "./lib.mjs";

const stampFile = "node_modules/.beamstorm-setup";
const oldestNode = [20, 19];

export async function setup() {
  refuseOldNode();
  const wanted = wantedStamp();
  if (readIfThere(stampFile) === wanted) return;
  if (!existsSync(join(root, stampFile)) && installedAsLocked()) return keep(wanted);
  const command = existsSync(join(root, "package-lock.json")) ? "ci" : "install";
  progress(`installing dependencies (npm ${command}) …`);
  const started = performance.now();
  const args = [command, "--no-audit", "--no-fund", "--loglevel=error"];
  const { code } = await runProgram("npm", args, { shell: process.platform === "win32" });
  if (code !== 0) throw new CommandFailure(`npm ${command} failed with exit code ${code}; see above`);
  keep(wanted);
  progress(`installed in ${seconds(started)}`);
}

function refuseOldNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  throw new CommandFailure(`needs Node ${oldestNode.join(".")} or newer; this is ${process.versions.node}`);
}

function wantedStamp() {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(readIfThere("package.json"));
  const named = JSON.stringify([dependencies, devDependencies, optionalDependencies]);
  return createHash("sha256")
    .update(named)
    .update(readIfThere("package-lock.json") ?? "")
    .digest("hex");
}

function keep(stamp) {
  mkdirSync(join(root, "node_modules"), { recursive: true });
  writeFileSync(join(root, stampFile), stamp);
}

/** Somebody ran npm by hand: npm's own record of what it installed has every version that the lock file asks for. */
function installedAsLocked() {
  const lock = JSON.parse(readIfThere("package-lock.json") ?? "{}").packages;
  const installed = JSON.parse(readIfThere("node_modules/.package-lock.json") ?? "{}").packages;
  if (lock === undefined || installed === undefined) return false;
  return Object.entries(lock).every(([path, { version, optional }]) => {
    if (path === "") return true;
    return installed[path] === undefined ? optional === true : installed[path].version === version;
  });
}

if (isMain(import.meta)) await main(setup);
