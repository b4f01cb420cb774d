import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

/** Writes a page and has the system's browser show it; gives its path, which is all there is where no browser can be started. */
export async function openInBrowser(page: string, name: string): Promise<string> {
  const path = join(tmpdir(), `beamstorm-${basename(name).replace(/[^\w.-]+/g, "-")}-${process.pid}.html`);
  await writeFile(path, page, { mode: 0o600 });
  const [command, ...args] =
    process.platform === "darwin" ? ["open", path] : process.platform === "win32" ? ["cmd", "/c", "start", "", path] : ["xdg-open", path];
  const child = spawn(command, args, { detached: true, stdio: "ignore" });
  child.on("error", () => {}); // there is none; the path is printed
  child.unref();
  return path;
}
