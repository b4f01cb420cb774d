// `npm run test:crash [-- --kills N --seed S …]`: builds, then kills pipelines and goes on with them; see test/crash/main.ts.
import { build } from "./build.mjs";
import { isMain, main, node } from "./lib.mjs";

async function crash() {
  await build();
  const { code } = await node([
    "--enable-source-maps",
    "--import=./test/support/register.mjs",
    "test/crash/main.ts",
    ...process.argv.slice(2),
  ]);
  return code;
}

if (isMain(import.meta)) await main(crash);
