// Beam Python's own suites on the built job server: `node tools/python-suites.mjs [portable | streaming | validates-runner …] [-- pytest options]`.
// Each of their tests counts as one; what is left out is in test/interop/python/known-gaps.txt. The last line is `N passed, N failed`.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { installPython } from "./beam-python.mjs";
import { build } from "./build.mjs";
import { withJobServer } from "./job-server.mjs";
import { isMain, main, progress, root, runProgram, seconds } from "./lib.mjs";

const folder = join(root, "test/interop/python");
const ours = ["portable_test.py"];
const validatesRunner = [
  "pipeline_test.py",
  ..."ptransform sideinputs combiners util dofn_lifecycle combinefn_lifecycle deduplicate"
    .split(" ")
    .map((name) => `transforms/${name}_test.py`),
  "metrics/metric_test.py",
  "runners/portability/fn_api_runner/translations_test.py",
];

const suites = {
  portable: { files: ours },
  streaming: { files: ours, env: { STREAMING: "1" } },
  "validates-runner": { files: validatesRunner, ofBeam: true, args: ["-m", "it_validatesrunner"] },
};

/** Runs these suites, all of them by default. */
export async function runPythonSuites(python, names = Object.keys(suites), pytestArgs = []) {
  const total = { passes: 0, failures: 0, pending: 0 };
  await withJobServer(async (url) => {
    for (const name of names) {
      const counts = await runSuite(python, name, url, pytestArgs);
      for (const kind of Object.keys(total)) total[kind] += counts[kind];
    }
  });
  return total;
}

async function runSuite(python, name, endpoint, pytestArgs) {
  const { files, ofBeam = false, args = [], env = {} } = suites[name];
  const started = performance.now();
  const beam = ofBeam ? await packageFolder(python) : folder;
  const report = join(root, ".cache", `python-${name}.xml`);
  mkdirSync(join(root, ".cache"), { recursive: true });
  rmSync(report, { force: true });
  const options = `--runner=PortableRunner --job_endpoint=${endpoint} --environment_type=LOOPBACK`;
  const pytest = ["-m", "pytest", "-c", join(folder, "pytest.ini"), "--rootdir", folder, "-p", "suite_plugin", `--junitxml=${report}`];
  const { output } = await runProgram(
    python,
    [...pytest, `--test-pipeline-options=${options}`, ...args, ...pytestArgs, ...files.map((file) => join(beam, file))],
    { quiet: true, env: { ...process.env, ...env, SUITE: name, JOB_ENDPOINT: endpoint, PYTHONPATH: folder } },
  );
  const counts = readReport(report);
  if (counts.failures > 0) process.stdout.write(output);
  const skipped = counts.pending === 0 ? "" : `, ${counts.pending} skipped`;
  progress(`Beam Python's suite ${name}: ${counts.passes} passed, ${counts.failures} failed${skipped} in ${seconds(started)}`);
  return counts;
}

async function packageFolder(python) {
  const { output } = await runProgram(
    python,
    ["-c", "import importlib.util as u; print(u.find_spec('apache_beam').submodule_search_locations[0])"],
    {
      quiet: true,
    },
  );
  return output.trim().split("\n").at(-1);
}

/** A suite without a report, or without a test that was run, has failed. */
function readReport(file) {
  try {
    const [suite] = /<testsuite [^>]*>/.exec(readFileSync(file, "utf8"));
    const number = (name) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)[1]);
    const failures = number("failures") + number("errors");
    const pending = number("skipped");
    const passes = number("tests") - failures - pending;
    return { passes, failures: passes + failures === 0 ? 1 : failures, pending };
  } catch {
    return { passes: 0, failures: 1, pending: 0 };
  }
}

async function pythonSuites() {
  const args = process.argv.slice(2);
  const split = args.includes("--") ? args.indexOf("--") : args.length;
  const names = args.slice(0, split);
  await build();
  const python = await installPython();
  const { passes, failures, pending } = await runPythonSuites(python, names.length > 0 ? names : undefined, args.slice(split + 1));
  console.log(`${passes} passed, ${failures} failed${pending === 0 ? "" : `, ${pending} skipped`}`);
  return failures === 0 ? 0 : 1;
}

if (isMain(import.meta)) await main(pythonSuites);
