// `npm run bench [-- NAME … --quick --json --peers --repetitions N --side TEXT]`: builds, makes the programs in bench/
// JavaScript, installs the peer on demand, and runs bench/main.ts. What is measured, and how: bench/README.md.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { installPython } from "./beam-python.mjs";
import { build } from "./build.mjs";
import { installPrism } from "./go-program.mjs";
import { main, node, peersCache, root, runProgram } from "./lib.mjs";

const peer = "apache-beam@2.49.0";
const peerFolder = "bench/.peers";
const outputFolder = ".cache/bench";

async function bench() {
  await build();
  await compile();
  const there = await installPeer();
  const env = { ...process.env, ...(there ? {} : { BEAMSTORM_BENCH_PEER: "none" }) };
  if (process.argv.some((argument) => argument.startsWith("python") || argument === "--peers")) {
    env.BEAMSTORM_PEER_PYTHON = await installPython();
    env.BEAMSTORM_PEER_PRISM = installPrism();
    env.BEAMSTORM_PEER_FLINK ??= flinkFolder();
    for (const name of ["BEAMSTORM_PEER_PRISM", "BEAMSTORM_PEER_FLINK"]) if (env[name] === undefined) delete env[name];
  }
  const { code } = await node([`${outputFolder}/main.js`, ...process.argv.slice(2)], { env });
  return code;
}

/** Where the jars of Beam's Flink job server are, if somebody has put them beside the other peers. */
function flinkFolder() {
  if (!existsSync(peersCache)) return undefined;
  const folder = readdirSync(peersCache).find((name) => name.startsWith("flink-") && existsSync(join(peersCache, name, "ready")));
  return folder && join(peersCache, folder);
}

/** Each file for itself, so that worker processes can import what a measurement runs. */
async function compile() {
  const esbuild = await import("esbuild");
  const { globSync } = await import("tinyglobby");
  rmSync(join(root, outputFolder), { recursive: true, force: true });
  const options = {
    absWorkingDir: root,
    outbase: "bench",
    outdir: outputFolder,
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: "inline",
    logLevel: "warning",
  };
  const entryPoints = globSync("bench/**/*.ts", { cwd: root, ignore: ["bench/fn-api/**"] });
  await esbuild.build({ ...options, entryPoints });
  // What measures parts that the package does not offer has them in it.
  await esbuild.build({ ...options, entryPoints: globSync("bench/fn-api/*.ts", { cwd: root }), bundle: true, packages: "external" });
}

/** True if it is there. It is no dependency of the project: nobody who does not measure needs it. */
async function installPeer() {
  if (existsSync(join(root, peerFolder, "node_modules/apache-beam"))) return true;
  console.error(`beamstorm: installing ${peer} into ${peerFolder} …`);
  const install = ["install", "--no-save", "--no-audit", "--no-fund", "--prefix", peerFolder, peer];
  const npm = process.env.npm_execpath; // npm's own program, when npm has started this
  const { code, output } =
    npm === undefined
      ? await runProgram("npm", install, { quiet: true, shell: process.platform === "win32" })
      : await node([npm, ...install], { quiet: true });
  if (code !== 0) console.error(`beamstorm: ${peer} cannot be installed, so it is left out:\n${output.trimEnd()}`);
  return code === 0;
}

await main(bench);
