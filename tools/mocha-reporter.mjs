// Mocha's spec reporter that also leaves its counts, as JSON, in the file that BEAMSTORM_TEST_COUNTS names, and that does not
// wait for ever for what a test left open: it is named, counted as a failure, and the process ends.
import { writeFileSync } from "node:fs";
import Mocha from "mocha";

/** How long after the last test a process may go on before what it waits for counts as left open. */
const graceMs = 20_000;

export default class CountingSpec extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.BEAMSTORM_TEST_COUNTS;
    if (file === undefined) return;
    runner.once("end", () => {
      const { passes, failures, pending } = this.stats;
      const write = (counts) => writeFileSync(file, JSON.stringify(counts));
      write({ passes, failures, pending });
      setTimeout(() => {
        console.error(`Still running ${graceMs / 1000} s after the last test; left open:\n${leftOpen().join("\n")}`);
        write({ passes, failures: failures + 1, pending });
        process.exit(1);
      }, graceMs).unref();
    });
  }
}

/** A line for everything that keeps this process alive. Handles have no public listing; without it, their kinds must do. */
function leftOpen() {
  const handles = process._getActiveHandles?.() ?? [];
  return [...process.getActiveResourcesInfo().map((kind) => `  ${kind}`), ...handles.map((handle) => `  ${described(handle)}`)];
}

function described(handle) {
  const name = handle?.constructor?.name ?? typeof handle;
  if (handle?.spawnargs !== undefined) return `${name} ${handle.pid}, exit code ${handle.exitCode}: ${handle.spawnargs.join(" ")}`;
  const address = typeof handle?.address === "function" ? JSON.stringify(handle.address()) : "";
  return `${name} ${address} ${handle?.remoteAddress ?? ""}:${handle?.remotePort ?? ""} ${handle?.fd ?? ""}`.trimEnd();
}
