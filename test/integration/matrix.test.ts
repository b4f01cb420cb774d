// Every transform of the SDK, with the same result for every number of workers, size of bundles, amount of credit, and with all state on disk.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run, UserCodeError } from "beamstorm";
import { local } from "beamstorm/local";
import { bundleProgram, type BundledProgram } from "../../local/bundle-program.js";
import { avroFormat } from "../../sdk/io/avro/write.js";
import { parquetFormat } from "../../sdk/io/parquet/write.js";
import { bytesOf } from "../support/memory-file.js";
import type * as Fixture from "./fixtures/matrix.js";

const bundles = { "bundles of one element": { bundleElements: 1 }, "default bundles": {} };
const credits = { "roomy credits": {}, "tiny credits": { channelBytes: 64, batchBytes: 16 } };
const runtimes = [
  ...Object.entries(bundles).flatMap(([bundle, size]) =>
    Object.entries(credits).map(([credit, bytes]) => ({ name: `${bundle}, ${credit}`, runtime: { ...size, ...bytes } })),
  ),
  { name: "bundles of one element, all state on disk", runtime: { bundleElements: 1, stateBytes: 1 } },
];

// The pipelines are compiled first, so that worker processes load them, and the package, as plain JavaScript.
const source = fileURLToPath(new URL("./fixtures/matrix.ts", import.meta.url));
const program: BundledProgram = await bundleProgram(source);
const { matrix, rows, Typed, typed, ...failing } = (await import(program.module)) as typeof Fixture;

describe("every transform", () => {
  let folder: string;
  let input: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "beamstorm-matrix-"));
    input = join(folder, "lines.txt");
    await writeFile(input, Array.from({ length: 20 }, (_, i) => `line ${i + 1}\n`).join(""));
    await writeFile(`${input}.avro`, await bytesOf(avroFormat(Typed), typed));
    await writeFile(`${input}.parquet`, await bytesOf(parquetFormat(Typed, { rowGroupRows: 6 }), typed));
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
    await program.dispose();
  });

  for (const { name, runtime } of runtimes)
    context(`in one process with ${name}`, () => {
      for (const row of Object.keys(rows)) it(row, async () => void (await run(matrix, { input, only: row }, local({ runtime }))));
    });

  for (const workers of [2, 4])
    for (const { name, runtime } of runtimes)
      it(`in one graph with ${workers} workers and ${name}`, async () => {
        const metrics = await run(matrix, { input }, local({ workers, module: program.module, exportName: "matrix", runtime }));
        assert.equal(metrics.elements.get("create/numbers/elements"), 40);
        assert.deepEqual(
          metrics.user.query({ step: "map", name: "numbers doubled", type: "counter" }).map(({ attempted }) => attempted),
          [40],
        );
        const checks = [...metrics.elements].filter(([transform]) => transform.endsWith("/check"));
        assert.ok(checks.length >= Object.keys(rows).length, "an assertion is missing");
        for (const [transform, count] of checks) assert.equal(count, 1, `${transform} ran ${count} times`);
      });

  const messages: readonly (readonly [keyof typeof failing, string])[] = [
    ["wrong", 'elements differ: 3 expected, 3 found\n  - missing:    "c"\n  + unexpected: "b"'],
    ["unexpectedlyEmpty", "elements differ: 1 expected, 0 found\n  - missing:    1"],
    ["unsatisfied", "expected three elements, got [1, 2]"],
  ];
  for (const [name, difference] of messages)
    for (const workers of [1, 2])
      it(`fails with a readable difference: ${name}, with ${workers} workers`, async () => {
        const runner = local({ workers, module: program.module, exportName: name });
        await assert.rejects(run(failing[name], {}, runner), (error: unknown) => {
          assert.ok(error instanceof UserCodeError);
          assert.ok(error.summary.endsWith(`: ${difference}`), error.message);
          assert.match(error.site.line ?? "", /fixtures\/matrix\.ts:\d+:\d+$/);
          return true;
        });
      });
});
