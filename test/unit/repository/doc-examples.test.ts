// Every public symbol says what it is, every value with an example, and every example compiles and runs.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { pipeline, run } from "beamstorm";
import { local } from "beamstorm/local";
import * as esbuild from "esbuild";
import { publicSymbols } from "../../support/doc-examples.js";
import * as prelude from "../../support/doc-prelude.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const modules = ["sdk/index.ts", "local/testing.ts", "local/index.ts", "runner/index.ts", "portability/index.ts"];
const symbols = publicSymbols(modules).filter(({ place }) => !place.startsWith("portability/protos/gen/"));
/** Names and numbers say what they are by themselves. */
const isTable = (name: string): boolean => /^(urns\.)?[A-Z][A-Z_]+$/.test(name) || name === "beam";
const examples = symbols.flatMap(({ name, place, examples: codes }) =>
  codes.map((code, i) => ({ name: `${name}${i === 0 ? "" : ` ${i + 1}`} (${place})`, code })),
);

/** Examples as functions of one module, with what they leave out: imports, and the PCollections that they speak of. */
function moduleOf(): string {
  const imported = new Set<string>();
  /** What these modules export and none before them has. */
  const exported = (from: string): string => {
    const names = publicSymbols([from]).filter(({ name }) => name !== "beam" || from.startsWith("portability"));
    const found: string[] = [];
    for (const { name, isValue } of names) {
      const own = name.split(".")[0];
      if (imported.has(own)) continue;
      imported.add(own);
      found.push(isValue || own !== name ? own : `type ${own}`);
    }
    return found.join(", ");
  };
  const functions = examples.map(({ name, code }) => {
    const mentioned = (each: string): boolean => new RegExp(`(?<![.\\w"'/])${each}\\b`).test(code);
    const declared = (each: string): boolean => new RegExp(`(const|let) ${each}\\b`).test(code);
    const given = Object.keys(prelude.collections).filter((each) => mentioned(each) && !declared(each));
    const lines = given.map((each) => `const ${each} = prelude.collections.${each}(p);`);
    const body = [...lines, code.replace(/^export default /, "void ")].join("\n").replace(/^/gm, "    ");
    const runs = /^\s*(const .*= |try \{\s*)?await /m.test(code) || /\bawait started\b/.test(code);
    const parameters = runs ? "async ()" : "(p: Pipeline)";
    return `  ${JSON.stringify(name)}: { runs: ${runs}, code: ${parameters} => {\n${body}\n  } },`;
  });
  return [
    `import { ${exported("sdk/index.ts")} } from "beamstorm";`,
    `import { ${exported("local/testing.ts")} } from "beamstorm/testing";`,
    `import { ${exported("local/index.ts")} } from "beamstorm/local";`,
    `import { ${exported("runner/index.ts")} } from "beamstorm/runner";`,
    `import { ${exported("portability/index.ts")} } from "beamstorm/portability";`,
    `import { z } from "zod";`,
    `import * as prelude from "../../test/support/doc-prelude.js";`,
    `import { database, host, Order, parse, planned, rates, translated, wordcount, type Price } from "../../test/support/doc-prelude.js";`,
    `export const all = {`,
    ...functions,
    `};`,
  ].join("\n");
}

interface Example {
  readonly runs: boolean;
  readonly code: (p: unknown) => unknown;
}

describe("the public interface", function () {
  this.timeout(60_000);

  it("says of each symbol what it is", () => {
    assert.deepEqual(
      symbols.filter(({ documented }) => !documented).map(({ name, place }) => `${name} (${place})`),
      [],
    );
  });

  it("has an example for everything that can be used", () => {
    assert.deepEqual(
      symbols
        .filter(({ name, isValue, examples: codes }) => isValue && codes.length === 0 && !isTable(name))
        .map(({ name, place }) => `${name} (${place})`),
      [],
    );
  });

  context("in its examples", () => {
    const folder = join(root, ".cache/doc-examples");
    const source = join(folder, "examples.ts");
    const pages = ["README.md", ...readdirSync(join(root, "docs")).flatMap((name) => (name.endsWith(".md") ? [`docs/${name}`] : []))];
    let all: Readonly<Record<string, Example>>;
    let place: string;
    const cwd = process.cwd();
    const { log } = console;

    before(async () => {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
      await writeFile(source, moduleOf());
      for (const page of pages) {
        const text = await readFile(join(root, page), "utf8");
        for (const [i, [, code]] of [...text.matchAll(/^```ts\n([^]*?)^```/gm)].entries())
          await writeFile(join(folder, `${basename(page, ".md").toLowerCase()}-${i}.ts`), code);
      }
      await writeFile(
        join(folder, "tsconfig.json"),
        JSON.stringify({
          extends: "../../tsconfig.check.json",
          compilerOptions: { noUnusedLocals: false, noUnusedParameters: false, noEmit: true, rootDir: "../..", incremental: false },
          include: ["*.ts"],
        }),
      );
    });

    it("compiles, and so do the programs of README and docs", async () => {
      const tsc = join(root, "node_modules/@typescript/native/bin/tsc");
      const { stdout } = await promisify(execFile)(process.execPath, [tsc, "-p", folder], { cwd: root }).catch(
        (error: { stdout: string }) => error,
      );
      assert.equal(stdout, "");
    });

    before(async () => {
      const module = join(folder, "examples.mjs");
      await esbuild.build({
        entryPoints: [source],
        outfile: module,
        bundle: true,
        packages: "external",
        format: "esm",
        platform: "node",
        target: "node20",
      });
      ({ all } = (await import(pathToFileURL(module).href)) as { all: Readonly<Record<string, Example>> });
      place = await mkdtemp(join(tmpdir(), "beamstorm-examples-"));
      await symlink(join(root, "examples"), join(place, "examples"), "junction");
      for (const [name, text] of Object.entries(prelude.files)) {
        await mkdir(dirname(join(place, name)), { recursive: true });
        await writeFile(join(place, name), text);
      }
      process.chdir(place);
      await run(prelude.typedFiles, {}, local());
      console.log = () => {};
    });
    after(async () => {
      process.chdir(cwd);
      console.log = log;
      if (place !== undefined) await rm(place, { recursive: true });
    });

    for (const { name } of examples)
      it(`runs that of ${name}`, async () => {
        const { runs, code } = all[name];
        if (runs) await code(undefined);
        else
          await run(
            pipeline((p) => void code(p)),
            {},
            local(),
          );
      });
  });
});
