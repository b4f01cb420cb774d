// `npm run test:interop`: runs pipelines of other Beam SDKs on the built job server, and ours on servers of others. What they need is
// installed from its registries into ${BEAMSTORM_PEERS_CACHE:-~/.cache/beamstorm-peers} and used again. The last line is `N passed, N failed`.
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { installS3Server } from "./s3-server.mjs";
import { CommandFailure, main, progress, runProgram, seconds } from "./lib.mjs";
import { countsOf, runMocha } from "./test.mjs";

const beamVersion = "2.77.0";
const cache = process.env.BEAMSTORM_PEERS_CACHE || join(homedir(), ".cache", "beamstorm-peers");
const windows = process.platform === "win32";

/** A Python with the unmodified SDK; its path. */
async function installPython() {
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

async function interop() {
  try {
    await build();
    process.env.BEAMSTORM_PEER_PYTHON = await installPython();
    const s3 = installS3Server();
    if (s3 !== undefined) process.env.BEAMSTORM_PEER_S3 = s3;
  } catch (error) {
    if (error instanceof CommandFailure) console.error(`beamstorm: ${error.message}`);
    else console.error(error);
    console.log("0 passed, 1 failed");
    return 1;
  }
  const { passes, failures } = await countsOf(() => runMocha(["test/interop/**/*.test.ts", ...process.argv.slice(2)]));
  console.log(`${passes} passed, ${failures} failed`);
  return failures === 0 ? 0 : 1;
}

await main(interop);
