// Programs written in Go that tests and benchmarks run beside ours: built once into ${BEAMSTORM_PEERS_CACHE:-~/.cache/beamstorm-peers}.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandFailure, peersCache, progress, seconds } from "./lib.mjs";

/** The path of the program, or undefined, said in a line, on a machine without Go. */
export function installGoProgram({ name, module, version, path }) {
  const folder = join(peersCache, `${name}-${version}`);
  const program = join(folder, name);
  if (existsSync(program)) return program;
  if (!runs("go", ["version"])) {
    progress(`${name} is left out: it is built with Go, and there is no \`go\` on the PATH`);
    return undefined;
  }
  const started = performance.now();
  progress(`building ${name} ${version} into ${folder} …`);
  mkdirSync(peersCache, { recursive: true });
  const part = mkdtempSync(`${folder}.part-`);
  const work = mkdtempSync(join(tmpdir(), "beamstorm-go-"));
  try {
    // Built as a dependency of an empty module: Go installs no program of a module that replaces some of its own dependencies.
    const go = (...args) => execFileSync("go", args, { cwd: work, env: { ...process.env, GOFLAGS: "-mod=mod" }, stdio: "pipe" });
    go("mod", "init", "beamstorm-peer");
    go("get", `${module}@${version}`);
    go("build", "-trimpath", "-ldflags=-s -w", "-o", join(part, name), `${module}/${path}`);
    // Another process may have been faster; its program is as good.
    if (!existsSync(program)) renameSync(part, folder);
  } catch (error) {
    throw new CommandFailure(`cannot build ${name} with Go: ${String(error.stderr ?? error).trim()}`);
  } finally {
    for (const each of [part, work]) rmSync(each, { recursive: true, force: true });
  }
  progress(`built in ${seconds(started)}`);
  return program;
}

/** A real S3 server: Versity Gateway, over a folder. */
export const installS3Server = () =>
  installGoProgram({ name: "versitygw", module: "github.com/versity/versitygw", version: "v1.8.0", path: "cmd/versitygw" });

/** Prism, the portable runner of Beam's own. */
export const installPrism = () =>
  installGoProgram({ name: "prism", module: "github.com/apache/beam/sdks/v2", version: "v2.77.0", path: "go/cmd/prism" });

function runs(command, args) {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
