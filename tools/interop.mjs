// `npm run test:interop`: runs pipelines of other Beam SDKs on the built job server, and ours on servers of others. What they need is
// installed from its registries into ${BEAMSTORM_PEERS_CACHE:-~/.cache/beamstorm-peers} and used again. The last line is `N passed, N failed`.
import { installPython } from "./beam-python.mjs";
import { build } from "./build.mjs";
import { installS3Server } from "./go-program.mjs";
import { CommandFailure, main } from "./lib.mjs";
import { installPostgres } from "./postgres.mjs";
import { runPythonSuites } from "./python-suites.mjs";
import { countsOf, runMocha } from "./test.mjs";

async function interop() {
  const args = process.argv.slice(2);
  try {
    await build();
    process.env.BEAMSTORM_PEER_PYTHON = await installPython();
    const s3 = installS3Server();
    if (s3 !== undefined) process.env.BEAMSTORM_PEER_S3 = s3;
    const postgres = installPostgres();
    if (postgres !== undefined) process.env.BEAMSTORM_PEER_POSTGRES = postgres;
  } catch (error) {
    if (error instanceof CommandFailure) console.error(`beamstorm: ${error.message}`);
    else console.error(error);
    console.log("0 passed, 1 failed");
    return 1;
  }
  const counts = [await countsOf(() => runMocha(["test/interop/**/*.test.ts", ...args]))];
  if (args.length === 0) counts.push(await runPythonSuites(process.env.BEAMSTORM_PEER_PYTHON));
  const [passes, failures, pending] = ["passes", "failures", "pending"].map((kind) => counts.reduce((sum, each) => sum + each[kind], 0));
  console.log(`${passes} passed, ${failures} failed${pending === 0 ? "" : `, ${pending} skipped`}`);
  return failures === 0 ? 0 : 1;
}

await main(interop);
