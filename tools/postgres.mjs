// A real PostgreSQL server for tests: Debian's package, unpacked into ${BEAMSTORM_PEERS_CACHE:-~/.cache/beamstorm-peers}. Nothing is installed, no service
// is started, and no rights are needed.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CommandFailure, peersCache, progress, seconds } from "./lib.mjs";

const release = "15";

/** The folder with the server's programs and libraries, or undefined, said in a line, on a machine without Debian's tools. */
export function installPostgres() {
  const folder = join(peersCache, `postgresql-${release}`);
  if (existsSync(folder)) return folder;
  if (!runs("apt-get", ["--version"]) || !runs("dpkg-deb", ["--version"])) {
    progress("PostgreSQL is left out: it is unpacked from Debian's packages, and there is no `apt-get` and `dpkg-deb` on the PATH");
    return undefined;
  }
  const started = performance.now();
  progress(`unpacking PostgreSQL ${release} into ${folder} …`);
  mkdirSync(peersCache, { recursive: true });
  const part = mkdtempSync(`${folder}.part-`);
  try {
    const [lists, archives, unpacked] = ["lists", "archives", "unpacked"].map((name) => join(part, name));
    for (const each of [lists, archives]) mkdirSync(join(each, "partial"), { recursive: true });
    mkdirSync(unpacked);
    const options = {
      "Dir::State::lists": lists,
      "Dir::Cache": part,
      "Dir::Cache::archives": archives,
      "Debug::NoLocking": "1", // what is locked is the machine's, which is not touched
      "APT::Sandbox::User": "",
      "APT::Update::Post-Invoke::": "",
      "DPkg::Post-Invoke::": "",
    };
    const apt = ["-qq", ...Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`])];
    execFileSync("apt-get", [...apt, "update"], { stdio: "pipe" });
    // With the libraries that the machine lacks.
    const wanted = ["-y", "--no-install-recommends", "--download-only", "--reinstall", "install", `postgresql-${release}`];
    execFileSync("apt-get", [...apt, ...wanted], { stdio: "pipe" });
    for (const name of readdirSync(archives).filter((each) => each.endsWith(".deb")))
      execFileSync("dpkg-deb", ["-x", join(archives, name), unpacked], { stdio: "pipe" });
    // Another process may have been faster; its folder is as good.
    if (!existsSync(folder)) renameSync(unpacked, folder);
  } catch (error) {
    throw new CommandFailure(`cannot unpack PostgreSQL: ${String(error.stderr ?? error).trim()}`);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  progress(`unpacked in ${seconds(started)}`);
  return folder;
}

function runs(command, args) {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
