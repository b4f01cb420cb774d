// The package as its users get it: packed, installed into an empty project, type-checked and run there.
// Catches a file missing from the tarball, a dependency that is only a development one, and types that do not resolve.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const compiler = join(root, "node_modules/@typescript/native/bin/tsc");
const types = join(root, "node_modules/@types");
const minutes = 60_000;

const example = `import { countPerElement, create, filter, flatMap, map, option, pipeline, textIO } from "beamstorm";

export default pipeline({
  options: { output: option.string({ help: "where the counts go" }) },
  build: (p, { output }) =>
    p
      .apply(create(["a rose is a rose", "is a rose"]))
      .apply(flatMap((line) => line.split(" ")))
      .apply(filter((word) => word.length > 1))
      .apply(countPerElement())
      .apply(map(({ key, value }) => \`\${key.toUpperCase()}: \${value}\`))
      .apply(textIO.write(output)),
});
`;

const misuse = `import { create, groupByKey, map, pipeline } from "beamstorm";

export default pipeline((p) => p.apply(create([1, 2])).apply(map((n) => n.toUpperCase())));
export const ungrouped = pipeline((p) => p.apply(create([1, 2])).apply(groupByKey()));
`;

/** Runs a program to its end; the promise rejects with everything it printed when it does not end with 0. */
function run(cwd: string, command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd, shell: process.platform === "win32" }, (error, stdout, stderr) => {
      const shown = `${stdout}${stderr}`;
      if (error === null) resolve(shown);
      else reject(new Error(`${command} ${args.join(" ")} failed (${String(error.code)}):\n${shown}`));
    });
  });
}

describe("the packed package", function () {
  this.timeout(5 * minutes);
  let project: string;
  let tarball: string;

  const check = (file: string) => run(project, process.execPath, [compiler, ...strict, "--typeRoots", types, "--types", "node", file]);
  const strict = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2023", "--ignoreConfig"];

  before("installs into an empty project", async () => {
    project = await mkdtemp(join(tmpdir(), "beamstorm-package-"));
    await run(root, "npm", ["pack", "--loglevel=error", "--pack-destination", project]);
    [tarball] = await readdir(project);
    await writeFile(join(project, "package.json"), `{ "name": "empty", "private": true, "type": "module" }\n`);
    await run(project, "npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error", `./${tarball}`]);
    await writeFile(join(project, "example.ts"), example);
    await writeFile(join(project, "misuse.ts"), misuse);
  });

  after(() => rm(project, { recursive: true, force: true }));

  it("holds the built code and its types, and no sources, tests or records of the compiler", async () => {
    const installed = join(project, "node_modules/beamstorm");
    const files = await readdir(installed, { recursive: true });
    assert.ok(files.includes(join("dist", "sdk", "index.d.ts")));
    assert.deepEqual(
      files.filter((file) => /(?<!\.d)(?<!templates\/.*)\.ts$|\.tsbuildinfo$|^(test|tools|bench)\b/.test(file)),
      [],
    );
  });

  it("type-checks an example there, and refuses a wrong one at its author's lines", async () => {
    await check("example.ts");
    await assert.rejects(
      check("misuse.ts"),
      (error: Error) => /misuse\.ts\(3,/.test(error.message) && /misuse\.ts\(4,/.test(error.message),
    );
  });

  it("makes a project that installs, runs, and tests itself", async () => {
    const said = await run(project, "npx", ["--no-install", "beamstorm", "init", "my-words"]);
    assert.match(said, /my-words is ready\. Next:\n\n {2}cd my-words\n {2}npm install\n {2}npm start\n {2}npm test\n/);
    const made = join(project, "my-words");
    const manifest = join(made, "package.json");
    const text = await readFile(manifest, "utf8");
    await writeFile(manifest, text.replace(/"beamstorm": "[^"]*"/, `"beamstorm": "file:../${tarball}"`));
    await run(made, "npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"]);
    await run(made, "npm", ["start"]);
    const [header, ...records] = (await readFile(join(made, "out/words.csv"), "utf8")).trimEnd().split("\n");
    assert.equal(header, "word,count");
    assert.equal(records.length, 10);
    assert.deepEqual(records.filter((record) => /^(and|of),/.test(record)).sort(), ["and,5", "of,3"]);
    assert.match(await run(made, "npm", ["test"]), /# pass 2|pass 2/);
    JSON.parse((await readFile(join(made, ".vscode/launch.json"), "utf8")).replace(/^\s*\/\/.*$/gm, ""));
  });

  it("makes no project where something is", async () => {
    await assert.rejects(
      run(project, "npx", ["--no-install", "beamstorm", "init", "."]),
      /error: cannot make a project in "\.": it has .*example\.ts.* in it; name a new folder, or an empty one/,
    );
  });

  it("runs the example there with npx beamstorm, without a build step", async () => {
    await mkdir(join(project, "out"));
    await run(project, "npx", ["--no-install", "beamstorm", "run", "example.ts", "--output", "out/counts.txt"]);
    const shards = (await readdir(join(project, "out"))).filter((name) => name.startsWith("counts"));
    const texts = await Promise.all(shards.map((name) => readFile(join(project, "out", name), "utf8")));
    assert.deepEqual(texts.join("").trim().split("\n").sort(), ["IS: 2", "ROSE: 3"]);
  });
});
