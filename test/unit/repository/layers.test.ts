// Compares the import statements of every source with the directions in which imports may point.
// A new folder below portability/, sdk/ or runner/ is either covered by the line of its parent or gets a line here.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const top = ["portability", "sdk", "runner", "local", "cli"];

const plain = ["values", "urns", "hash", "windows", "coders", "schemas"].map((folder) => `portability/${folder}`);
const shared = [...plain, "portability/metrics", "portability/stage-host"];

/** What a folder may import besides itself; the longest matching folder decides. A file is named without its ending. */
const mayImport: Record<string, string[]> = {
  portability: ["portability"],
  "portability/values": [],
  "portability/urns": [],
  "portability/hash": [],
  "portability/protos": [],
  "portability/windows": ["portability/values"],
  "portability/payloads": ["portability/values", "portability/urns", "portability/protos", "portability/windows", "portability/stage-host"],
  "portability/schemas": ["portability/values"],
  "portability/coders": ["portability/values", "portability/urns", "portability/protos", "portability/schemas"],
  "portability/metrics": ["portability/coders", "portability/protos", "portability/urns"],
  "portability/services": ["portability/protos"],
  "portability/transport": ["portability/services", "portability/protos"],
  "portability/stage-host": [
    "portability/coders",
    "portability/metrics",
    "portability/values",
    "portability/protos",
    "portability/windows",
  ],
  sdk: ["sdk", "portability"],
  "sdk/model": shared,
  "sdk/state": ["sdk/model", "sdk/transforms", ...shared],
  "sdk/metrics": ["portability/metrics"],
  "sdk/transforms": ["sdk/model", ...shared],
  "sdk/compositions": ["sdk/model", "sdk/state", "sdk/transforms", ...shared],
  "sdk/translate": ["sdk/model", "sdk/transforms", "portability"],
  "sdk/harness": ["sdk/model", "sdk/metrics", "sdk/transforms", "sdk/translate", "portability"],
  "sdk/rows": ["sdk/model", "sdk/transforms", ...shared],
  "sdk/io": ["sdk/index", "sdk/model", "sdk/transforms", "sdk/state", ...shared],
  "sdk/testing": ["sdk/index", "sdk/model", "sdk/transforms", ...shared],
  runner: ["runner", "portability"],
  "runner/graph": ["portability"],
  "runner/topology": ["runner/graph", ...shared],
  "runner/windows": ["runner/store", "runner/snapshot", ...plain],
  "runner/keyed": ["runner/store", "runner/windows", "runner/snapshot", ...shared],
  "runner/store": plain,
  "runner/snapshot": plain,
  "runner/bundles": ["portability"], // the runner side of the Fn API knows stages and nothing of tasks
  "runner/job": [
    ...["topology", "windows", "keyed", "store", "snapshot", "checkpoint", "runtime"].map((folder) => `runner/${folder}`),
    "portability", // nor of how stages are executed
  ],
  "runner/runtime": ["runner/topology", "runner/windows", "runner/store", "runner/snapshot", ...shared],
  "runner/checkpoint": ["runner/snapshot", ...plain],
  local: ["sdk", "runner", "portability"],
  cli: ["local", "sdk", "runner", "portability"],
};

/** Folders of values and decisions: no package and nothing of Node either. */
const importsNoPackage = [
  "portability/values",
  "portability/urns",
  "portability/hash",
  "portability/windows",
  "runner/topology",
  "runner/windows",
];

const inside = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);

function sources(): string[] {
  const entries = top.flatMap((folder) => readdirSync(join(root, folder), { withFileTypes: true, recursive: true }));
  const files = entries.filter((entry) => entry.isFile() && /(?<!\.d)\.ts$/.test(entry.name));
  return files.map((entry) => join(entry.parentPath, entry.name).slice(root.length).replaceAll("\\", "/")).sort();
}

/** Every specifier of `import … from`, `export … from`, `import "…"` and `import("…")`, comments left out. */
function importsOf(file: string): string[] {
  const code = readFileSync(join(root, file), "utf8").replace(/^\s*(\/\/|\/?\*).*$/gm, "");
  const statements = /^(?:import|export)\s(?:[^;"']*\sfrom\s+)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;
  return [...code.matchAll(statements)].map(([, fromClause, call]) => fromClause ?? call!);
}

function isAllowed(file: string, specifier: string): boolean {
  const folder = Object.keys(mayImport)
    .filter((candidate) => inside(file, candidate))
    .sort((a, b) => b.length - a.length)[0]!;
  if (!specifier.startsWith(".")) return !importsNoPackage.some((pure) => inside(file, pure));
  const target = posix.join(dirname(file), specifier).replace(/\.js$/, "");
  return [folder, ...mayImport[folder]!].some((allowed) => inside(target, allowed));
}

describe("layers", () => {
  for (const folder of top) {
    it(`${folder}/ imports only what it may`, () => {
      const files = sources().filter((file) => inside(file, folder));
      const wrong = files.flatMap((file) => {
        const forbidden = importsOf(file).filter((specifier) => !isAllowed(file, specifier));
        return forbidden.map((specifier) => `${file} must not import ${specifier}`);
      });
      assert.equal(wrong.join("\n"), "");
    });
  }

  it("finds every kind of import, and tells a forbidden one from an allowed one", () => {
    assert.ok(importsOf("test/unit/repository/layers.test.ts").includes("node:fs"));
    assert.equal(isAllowed("sdk/model/pipeline.ts", "../../runner/index.js"), false);
    assert.equal(isAllowed("runner/graph/fuse.ts", "../topology/topology.js"), false);
    assert.equal(isAllowed("runner/windows/trigger.ts", "../../portability/protos/index.js"), false);
    assert.equal(isAllowed("portability/values/kv.ts", "node:fs"), false);
    assert.equal(isAllowed("local/index.ts", "../test/support/fakes.js"), false);
    assert.equal(isAllowed("runner/runtime/task.ts", "../topology/topology.js"), true);
    assert.equal(isAllowed("runner/bundles/harness.ts", "../job/index.js"), false);
    assert.equal(isAllowed("cli/main.ts", "../local/index.js"), true);
  });
});
