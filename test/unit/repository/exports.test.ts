// The `exports` of package.json against the built package: what each entry names is there, has types, and can be imported.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../../../", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as {
  name: string;
  bin: Record<string, string>;
  exports: Record<string, string | { types: string; default: string }>;
};
const isThere = (target: string) => existsSync(fileURLToPath(new URL(target, root)));

describe("package exports", () => {
  for (const [entry, target] of Object.entries(manifest.exports)) {
    if (typeof target === "string") continue;
    const specifier = entry.replace(/^\./, manifest.name);

    it(`${specifier} has code and types, and imports by its own name`, async () => {
      assert.ok(isThere(target.default), `${target.default} is missing; was the package built?`);
      assert.ok(isThere(target.types), `${target.types} is missing`);
      const exported: object = await import(specifier);
      assert.notEqual(Object.keys(exported).length, 0, `${specifier} exports nothing`);
    });
  }

  it("every command starts with a line that names node", () => {
    for (const target of Object.values(manifest.bin)) {
      assert.match(readFileSync(new URL(target, root), "utf8"), /^#!\/usr\/bin\/env node\n/);
    }
  });
});
