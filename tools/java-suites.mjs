// Beam Java's own tests that are marked ValidatesRunner, on the built job server: `node tools/java-suites.mjs [classes [pattern]]`, two patterns: the
// first of names of classes (`.*Test` for all), the second of `Class.method`. Each test counts as one; what is left out is in test/interop/java/known-gaps.txt.
// The last line is `N passed, N failed`.
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { build } from "./build.mjs";
import { withJobServer } from "./job-server.mjs";
import { CommandFailure, isMain, main, peersCache, progress, readIfThere, root, runProgram, seconds } from "./lib.mjs";

const folder = join(root, "test/interop/java");
const gapsFile = join(folder, "known-gaps.txt");
/** What runs by default: the classes whose tests are about the runner most, in a time that is bounded. */
const classes = "(CombineFnsTest|FlattenTest|GroupByKeyTest|SplittableDoFnTest|TestStreamTest|WindowTest|WindowingTest)";
/** Of a job, in seconds. */
const LIMIT = 60;

/** Fetches Beam Java; the folder of its jars, or undefined, said in a line, on a machine without Java or Maven. */
export async function installJavaSuites() {
  const version = /<beam.version>([^<]+)</.exec(readIfThere(join(folder, "pom.xml")))[1];
  const target = join(peersCache, `beam-java-suites-${version}`);
  if (existsSync(target)) return target;
  for (const [program, arg] of [
    ["javac", "-version"],
    ["mvn", "-version"],
  ])
    // prettier-ignore
    if ((await runProgram(program, [arg], { quiet: true })).code !== 0) {
      progress(`Beam Java's suites are left out: there is no \`${program}\` on the PATH`);
      return undefined;
    }
  const started = performance.now();
  progress(`fetching Beam Java ${version} into ${target} …`);
  mkdirSync(peersCache, { recursive: true });
  const part = mkdtempSync(`${target}.part-`);
  try {
    cpSync(join(folder, "pom.xml"), join(part, "pom.xml"));
    const args = ["-B", "-q", "-f", join(part, "pom.xml"), "dependency:copy-dependencies", "-DincludeScope=runtime"];
    const { code, output } = await runProgram("mvn", [...args, `-DoutputDirectory=${join(part, "lib")}`], { quiet: true });
    if (code !== 0) throw new CommandFailure(`Maven could not fetch Beam Java: ${output.trim().slice(0, 4000)}`);
    if (!existsSync(target)) renameSync(part, target);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  progress(`fetched in ${seconds(started)}`);
  return target;
}

/** Runs the tests of these classes that match the pattern. */
export async function runJavaSuites(installed, names = classes, pattern = ".*") {
  const compiled = await compile(installed);
  const started = performance.now();
  const { code, output } = await withJobServer((endpoint) => {
    const options = [
      "--runner=BeamTests$Runner",
      `--jobEndpoint=${endpoint}`,
      "--defaultEnvironmentType=LOOPBACK",
      // Else each job uploads the whole class path.
      `--filesToStage=${join(folder, "pom.xml")}`,
    ];
    const java = ["-Xmx1g", `-Dlimit=${LIMIT}`, `-Dclasses=.*/${names}`, "-Dorg.slf4j.simpleLogger.defaultLogLevel=off"];
    const opens = ["java.lang", "java.util"].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`);
    const path = ["-cp", [compiled, join(installed, "lib", "*")].join(delimiter)];
    return runProgram(
      "java",
      [...java, ...opens, ...path, `-DbeamTestPipelineOptions=${JSON.stringify(options)}`, "BeamTests", pattern, gapsFile],
      {
        quiet: true,
      },
    );
  });
  const count = (what) => [...output.matchAll(new RegExp(`^${what} `, "gm"))].length;
  const counts = { passes: count("PASS"), failures: count("FAIL"), pending: count("SKIP") + gapsIn(names) };
  if (counts.failures === 0 && (code !== 0 || counts.passes === 0)) counts.failures = 1;
  if (counts.failures > 0) process.stdout.write(output.split("\n").filter((line) => !line.startsWith("PASS ")).join("\n").slice(0, 100_000)); // prettier-ignore
  progress(`Beam Java's suite: ${counts.passes} passed, ${counts.failures} failed, ${counts.pending} skipped in ${seconds(started)}`);
  return counts;
}

/** Known gaps among these classes. */
const gapsIn = (names) =>
  [...readIfThere(gapsFile).matchAll(/^(\w+)[$\w]*\.\S+ /gm)].filter(([, name]) => new RegExp(`^${names}$`).test(name)).length;

/** The folder of our program, compiled anew when it has changed. */
async function compile(installed) {
  const source = join(folder, "BeamTests.java");
  const target = join(root, ".cache", "interop-java");
  const compiled = join(target, "BeamTests.class");
  if (existsSync(compiled) && statSync(compiled).mtimeMs > statSync(source).mtimeMs) return target;
  const { code, output } = await runProgram("javac", ["-cp", join(installed, "lib", "*"), "-d", target, source], { quiet: true });
  if (code !== 0) throw new CommandFailure(`cannot compile ${source}: ${output.trim()}`);
  return target;
}

async function javaSuites() {
  await build();
  const installed = await installJavaSuites();
  if (installed === undefined) return 1;
  const { passes, failures, pending } = await runJavaSuites(installed, process.argv[2], process.argv[3]);
  console.log(`${passes} passed, ${failures} failed, ${pending} skipped`);
  return failures === 0 ? 0 : 1;
}

if (isMain(import.meta)) await main(javaSuites);
