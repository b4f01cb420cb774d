// Beam's Python SDK as it is published, installed from its registry into ${BEAMSTORM_PEERS_CACHE:-~/.cache/beamstorm-peers}.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandFailure, peersCache as cache, progress, readIfThere, runProgram, seconds } from "./lib.mjs";

const beamVersion = "2.77.0";
// The extra has what Beam's own tests import; they also want the old pickler, by name.
const requirements = [`apache-beam[test]==${beamVersion}`, "dill==0.3.1.1", "numpy"];
const windows = process.platform === "win32";

/** A Python with the unmodified SDK and what its tests need; its path. What an earlier version of this has installed is completed. */
export async function installPython() {
  const venv = join(cache, `beam-python-${beamVersion}`);
  const python = join(venv, windows ? "Scripts/python.exe" : "bin/python");
  const ready = join(venv, "ready");
  const wanted = requirements.join("\n");
  const installed = readIfThere(ready);
  if (installed === wanted) return python;
  const started = performance.now();
  progress(`installing apache-beam ${beamVersion} into ${venv} …`);
  if (installed === undefined) {
    rmSync(venv, { recursive: true, force: true });
    mkdirSync(cache, { recursive: true });
    const create = ["-m", "venv", venv];
    await step("a virtual environment", windows ? "python" : "python3", create, "needs Python 3.10 to 3.14 with venv on the PATH");
  }
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...requirements];
  await step(`apache-beam ${beamVersion}`, python, pip, "pip could not install it");
  writeFileSync(ready, wanted);
  progress(`installed in ${seconds(started)}`);
  return python;
}

async function step(what, command, args, hint) {
  const { code, output } = await runProgram(command, args, { quiet: true });
  if (code !== 0) throw new CommandFailure(`${what}: ${hint}\n${output.trim()}`);
}
