// `npm run test:interop`: pipelines of Beam's Python SDK on the built job server. Installs Beam by itself, once, into a folder of its own
// below ${BEAMSTORM_PEERS_CACHE:-~/.cache/beamstorm-peers}. The last line is `N passed, N failed`.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { isMain, main, progress } from "./lib.mjs";
import { forgetCounts, readCounts, runMocha } from "./test.mjs";

const BEAM = "2.77.0";
const peers = process.env.BEAMSTORM_PEERS_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "beamstorm-peers");

/** The Python of an environment with Beam in it. */
function installBeam() {
  const folder = join(peers, `interop-python-${BEAM}`);
  const python = join(folder, "bin", "python");
  if (existsSync(join(folder, "complete"))) return python;
  try {
    execFileSync("python3", ["--version"], { stdio: "ignore" });
  } catch {
    throw new Error("npm run test:interop needs python3 (3.10 or newer) with venv on the PATH");
  }
  progress(`installing Beam ${BEAM} for Python into ${folder} …`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(peers, { recursive: true });
  execFileSync("python3", ["-m", "venv", folder], { stdio: ["ignore", "ignore", "inherit"] });
  execFileSync(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", `apache-beam==${BEAM}`], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  mkdirSync(join(folder, "complete.part"));
  renameSync(join(folder, "complete.part"), join(folder, "complete"));
  progress("installed");
  return python;
}

async function interop() {
  await build();
  const env = { BEAMSTORM_INTEROP_PYTHON: installBeam() };
  forgetCounts();
  const { code } = await runMocha(["test/interop/*.test.ts"], { env });
  const { passes, failures, pending } = readCounts(code);
  console.log(`${passes} passed, ${failures} failed${pending === 0 ? "" : `, ${pending} skipped`}`);
  return code;
}

if (isMain(import.meta)) await main(interop);
