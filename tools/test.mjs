// `npm test [-- FILE … | mocha options]`: builds, then runs mocha and, beside it, the full type check.
// Files or patterns among the arguments take the place of the whole suite. The last line is `N passed, N failed`, alone on it;
// a failed build or type check counts as one failure, and so does a mocha that ended without a count.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { bin, isMain, main, node, progress, readIfThere, root } from "./lib.mjs";

const countsFile = ".cache/test-counts.json";

/** The full type check, tests and examples included. */
export const checkTypes = () => node([bin.tsc, "-p", "tsconfig.check.json"], { quiet: true });

/** Runs mocha on these files or options, with what .mocharc.json says for everything they leave open. */
export function runMocha(args, { quiet = false } = {}) {
  const config = JSON.parse(readFileSync(join(root, ".mocharc.json"), "utf8"));
  const nodeOptions = config["node-option"].map((option) => `--${option}`);
  const specs = args.some(isSpec) ? [] : config.spec;
  const fixed = ["--no-config", "--timeout", String(config.timeout), "--reporter", "tools/mocha-reporter.mjs"];
  const env = { ...process.env, BEAMSTORM_TEST_COUNTS: join(root, countsFile) };
  return node([...nodeOptions, bin.mocha, ...fixed, ...args, ...specs], { quiet, env });
}

const isSpec = (argument) => !argument.startsWith("-") && /\.[cm]?[jt]s$/.test(argument);

/** Runs mocha and counts; one that ended badly without a failed test counts as one. */
export async function countsOf(mocha) {
  mkdirSync(join(root, ".cache"), { recursive: true });
  rmSync(join(root, countsFile), { force: true });
  const { code } = await mocha();
  return readCounts(code);
}

async function test() {
  await build().catch((error) => {
    console.log("0 passed, 1 failed");
    throw error;
  });
  const [types, tests] = await Promise.all([checkTypes(), countsOf(() => runMocha(process.argv.slice(2)))]);
  if (types.code !== 0) process.stdout.write(types.output);
  progress(`type check ${types.code === 0 ? "ok" : "failed; see above"}`);
  const failed = tests.failures + (types.code === 0 ? 0 : 1);
  const skipped = tests.pending === 0 ? "" : `, ${tests.pending} skipped`;
  console.log(`${tests.passes} passed, ${failed} failed${skipped}`);
  return failed === 0 ? 0 : 1;
}

function readCounts(mochaCode) {
  const counts = JSON.parse(readIfThere(countsFile) ?? '{"passes":0,"failures":0,"pending":0}');
  return mochaCode !== 0 && counts.failures === 0 ? { ...counts, failures: 1 } : counts;
}

if (isMain(import.meta)) await main(test);
