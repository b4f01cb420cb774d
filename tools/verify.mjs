// `npm run verify`: everything that is checked besides the tests, one line per step, and the output of those that failed.
import { build } from "./build.mjs";
import { bin, main, node, seconds } from "./lib.mjs";
import { checkTypes, runMocha } from "./test.mjs";

const steps = {
  format: () => node([bin.prettier, "--check", "--log-level=warn", "."], { quiet: true }),
  lint: () => node([bin.oxlint, "--type-aware", "--deny-warnings"], { quiet: true }),
  types: checkTypes,
  "imports and exports": () => runMocha(["test/unit/repository/**/*.test.ts"], { quiet: true }),
  "generated code": () => node(["tools/generate.mjs", "--check"], { quiet: true }),
  pictures: () => node(["tools/pictures.mjs", "--check"], { quiet: true }),
  reference: () => node([bin.typedoc, "--emit", "none"], { quiet: true }),
  package: () => node([bin.publint, "--strict"], { quiet: true }),
};

async function verify() {
  await build();
  const results = [];
  for (const [name, step] of Object.entries(steps)) {
    const started = performance.now();
    const { code, output } = await step();
    console.log(`${code === 0 ? "ok    " : "FAILED"}  ${name.padEnd(20)} ${seconds(started)}`);
    if (code !== 0) console.log(output.trimEnd());
    results.push(code);
  }
  return results.every((code) => code === 0) ? 0 : 1;
}

await main(verify);
