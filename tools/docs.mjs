// `npm run docs`: the reference of everything that is public, as pages in out/api. A link in a comment that leads nowhere fails it.
import { build } from "./build.mjs";
import { bin, main, node } from "./lib.mjs";

await main(async () => {
  await build();
  return (await node([bin.typedoc])).code;
});
