// Beam's Python SDK as it is published, installed from its registry into ${BEAMSTORM_PEERS_CACHE:-~/.cache/beamstorm-peers}.
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandFailure, peersCache as cache, progress, runProgram, seconds } from "./lib.mjs";

const beamVersion = "2.77.0";
const windows = process.platform === "win32";

/** A Python with the unmodified SDK; its path. */
export async function installPython() {
  const venv = join(cache, `beam-python-${beamVersion}`);
  const python = join(venv, windows ? "Scripts/python.exe" : "bin/python");
  const ready = join(venv, "ready");
  if (existsSync(ready)) return python;
  const started = performance.now();
  progress(`installing apache-beam ${beamVersion} into ${venv} …`);
  rmSync(venv, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  await step(
    "a virtual environment",
    windows ? "python" : "python3",
    ["-m", "venv", venv],
    "needs Python 3.10 to 3.14 with venv on the PATH",
  );
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", `apache-beam==${beamVersion}`];
  await step(`apache-beam ${beamVersion}`, python, pip, "pip could not install it");
  writeFileSync(ready, "");
  progress(`installed in ${seconds(started)}`);
  return python;
}

async function step(what, command, args, hint) {
  const { code, output } = await runProgram(command, args, { quiet: true });
  if (code !== 0) throw new CommandFailure(`${what}: ${hint}\n${output.trim()}`);
}
