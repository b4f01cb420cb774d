// A real S3 server for tests: Versity Gateway over a folder, built once from its Go module into
// ${BEAMSTORM_PEERS_CACHE:-~/.cache/beamstorm-peers}.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { CommandFailure, isMain, main, progress, seconds } from "./lib.mjs";

const version = "v1.8.0";
const module = "github.com/versity/versitygw";
const cache = process.env.BEAMSTORM_PEERS_CACHE || join(homedir(), ".cache", "beamstorm-peers");

/** The path of the server's program, or undefined, said in a line, on a machine without Go. */
export function installS3Server() {
  const folder = join(cache, `s3-server-${version}`);
  const program = join(folder, "versitygw");
  if (existsSync(program)) return program;
  if (!runs("go", ["version"])) {
    progress("no S3 server: it is built with Go, and there is no `go` on the PATH; its tests are skipped");
    return undefined;
  }
  const started = performance.now();
  progress(`building an S3 server (versitygw ${version}) into ${folder} …`);
  mkdirSync(cache, { recursive: true });
  const part = mkdtempSync(`${folder}.part-`);
  const work = mkdtempSync(join(tmpdir(), "beamstorm-s3-server-"));
  try {
    // Built as a dependency of an empty module: Go installs no program of a module that replaces some of its own dependencies.
    const go = (...args) => execFileSync("go", args, { cwd: work, env: { ...process.env, GOFLAGS: "-mod=mod" }, stdio: "pipe" });
    go("mod", "init", "s3server");
    go("get", `${module}@${version}`);
    go("build", "-trimpath", "-ldflags=-s -w", "-o", join(part, "versitygw"), `${module}/cmd/versitygw`);
    // Another process may have been faster; its server is as good.
    if (!existsSync(program)) renameSync(part, folder);
  } catch (error) {
    throw new CommandFailure(`cannot build the S3 server of the tests with Go: ${String(error.stderr ?? error).trim()}`);
  } finally {
    for (const each of [part, work]) rmSync(each, { recursive: true, force: true });
  }
  progress(`built in ${seconds(started)}`);
  return program;
}

function runs(command, args) {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

if (isMain(import.meta)) await main(() => (installS3Server() === undefined ? 1 : 0));
