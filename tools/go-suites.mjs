// Beam Go's own integration tests on the built job server: `node tools/go-suites.mjs [test pattern]`. Each of their tests counts as one; what is
// left out is in test/interop/go/known-gaps.txt. The last line is `N passed, N failed`.
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { withJobServer } from "./job-server.mjs";
import { CommandFailure, isMain, main, peersCache, progress, readIfThere, root, runProgram, seconds } from "./lib.mjs";

const folder = join(root, "test/interop/go");
const beam = "github.com/apache/beam/sdks/v2/go/test";
const suites = {
  regression: "regression",
  synthetic: "integration/synthetic",
  wordcount: "integration/wordcount",
  primitives: "integration/primitives",
};
const LIMIT = "150s";

/** Builds the tests; their folder, or undefined, said in a line, on a machine without Go. */
export async function installGoSuites() {
  const version = /beam\/sdks\/v2 (\S+)/.exec(readIfThere(join(folder, "go.mod")))[1];
  const target = join(peersCache, `beam-go-suites-${version}`);
  if (existsSync(target)) return target;
  if ((await runProgram("go", ["version"], { quiet: true })).code !== 0) {
    progress("Beam Go's suites are left out: there is no `go` on the PATH");
    return undefined;
  }
  const started = performance.now();
  progress(`building the tests of Beam Go ${version} into ${target} …`);
  mkdirSync(peersCache, { recursive: true });
  const part = mkdtempSync(`${target}.part-`);
  try {
    cpSync(folder, part, { recursive: true });
    for (const [name, path] of Object.entries(suites)) {
      const { code, output } = await runProgram(
        "go",
        ["-C", part, "test", "-c", "-ldflags=-s -w", "-o", `${name}.test`, `${beam}/${path}`],
        { quiet: true },
      );
      if (code !== 0) throw new CommandFailure(`cannot build the tests of Beam Go: ${output.trim()}`);
    }
    if (!existsSync(target)) renameSync(part, target);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  progress(`built in ${seconds(started)}`);
  return target;
}

/** Runs them all, or those that match the pattern. */
export async function runGoSuites(tests, pattern) {
  const gaps = [...readIfThere(join(folder, "known-gaps.txt")).matchAll(/^(Test\w+) /gm)].map(([, name]) => name);
  const total = { passes: 0, failures: 0, pending: gaps.length };
  await withJobServer(async (endpoint) => {
    for (const name of Object.keys(suites)) {
      const args = [`-test.skip=^(${gaps.join("|")})$`, ...(pattern === undefined ? [] : [`-test.run=${pattern}`])];
      add(total, await runSuite(tests, name, endpoint, args, pattern !== undefined));
    }
  });
  return total;
}

async function runSuite(tests, name, endpoint, args, mayBeEmpty = false) {
  const started = performance.now();
  const beamOptions = ["--runner=universal", `--endpoint=${endpoint}`, "--environment_type=LOOPBACK"];
  const { code, output } = await runProgram(join(tests, `${name}.test`), ["-test.v", `-test.timeout=${LIMIT}`, ...args, ...beamOptions], {
    quiet: true,
  });
  const count = (what) => [...output.matchAll(new RegExp(`^--- ${what}: `, "gm"))].length;
  const counts = { passes: count("PASS"), failures: count("FAIL"), pending: count("SKIP") };
  // A process that ends badly without a test that has failed, or without one that was run, has failed.
  if (counts.failures === 0 && (code !== 0 || (counts.passes === 0 && !mayBeEmpty))) counts.failures = 1;
  if (counts.failures > 0) process.stdout.write(output);
  progress(`Beam Go's suite ${name}: ${counts.passes} passed, ${counts.failures} failed in ${seconds(started)}`);
  return counts;
}

const add = (total, counts) => {
  for (const kind of Object.keys(total)) total[kind] += counts[kind];
};

async function goSuites() {
  await build();
  const tests = await installGoSuites();
  if (tests === undefined) return 1;
  const { passes, failures, pending } = await runGoSuites(tests, process.argv[2]);
  console.log(`${passes} passed, ${failures} failed, ${pending} skipped`);
  return failures === 0 ? 0 : 1;
}

if (isMain(import.meta)) await main(goSuites);
