// Puts the sources into few files: a process starts in a third of the processor time that it takes to load some five hundred of them.
//
// U1. What can be imported, and what is started by its file's name, is where it would be if every source were compiled for itself. All else is in
//     dist/chunks/, each source once, so that there is one instance of every class.
// U2. A source that asks for its own address (`import.meta.url`) is told where it would be, for what it looks for beside it.
// U3. Packages stay where they are installed.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./lib.mjs";

/** Started by the names of their files, as processes and threads. */
const programs = ["cli/main", "cli/busy-watch-thread", "local/worker-main", "runner/checkpoint/merge-thread"];

/** What tests take of the built package besides what it exports: they start a thread, or need the classes that a bundled pipeline has. */
const forTests = [
  "local/local-run",
  "runner/checkpoint/index",
  "sdk/harness/embedded-host",
  "sdk/harness/program",
  "sdk/translate/translate-pipeline",
];

const generated = /[\\/]protos[\\/]gen[\\/]/;

/** Writes JavaScript to dist/; resolves to the files that there are. */
export async function bundle() {
  const esbuild = await import("esbuild");
  const { outputs } = (
    await esbuild.build({
      entryPoints: [...new Set([...exported(), ...programs, ...forTests])].map((name) => `${name}.ts`),
      absWorkingDir: root,
      outbase: ".",
      outdir: "dist",
      chunkNames: "chunks/[hash]",
      bundle: true,
      splitting: true,
      packages: "external", // U3
      format: "esm",
      platform: "node",
      target: "node20",
      sourcemap: true,
      metafile: true,
      logLevel: "warning",
      banner: { js: `const ${dist} = import.meta.url.slice(0, import.meta.url.lastIndexOf("/dist/") + 6);` },
      define: { "import.meta.url": own },
      plugins: [addresses],
    })
  ).metafile;
  return Object.keys(outputs);
}

/** The sources of what package.json exports. */
function exported() {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const files = Object.values(exports).flatMap((each) => each.default ?? []);
  return files.map((file) => file.slice("./dist/".length, -".js".length));
}

const dist = "$dist";
const own = "$ownAddress";

/** U2. Generated code has no map: nobody steps through it, and its map would be larger than all others. */
const addresses = {
  name: "addresses",
  setup(build) {
    build.onLoad({ filter: /\.[jt]s$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      if (generated.test(path)) return { contents: text + mapOfNothing, loader: "js" };
      if (!text.includes("import.meta.url")) return undefined;
      const name = path.slice(root.length).replaceAll("\\", "/").replace(/\.ts$/, ".js");
      return { contents: text.replace(/^(#!.*\n)?/, `$1const ${own} = ${dist} + ${JSON.stringify(name)};`), loader: "ts" };
    });
  },
};

const nothing = JSON.stringify({ version: 3, sources: [""], mappings: "A" });
const mapOfNothing = `\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(nothing).toString("base64")}\n`;
