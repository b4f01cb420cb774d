// Generates the message classes of portability/protos/gen from our .proto files. `--check` only compares.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = join(root, "portability/protos/src");
const target = join(root, "portability/protos/gen");

function protoFiles(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? protoFiles(join(folder, entry.name)) : [join(folder, entry.name)]))
    .filter((file) => file.endsWith(".proto"))
    .sort();
}

function run(command, args) {
  execFileSync(process.execPath, [join(root, "node_modules/protobufjs-cli/bin", command), ...args], {
    cwd: sources,
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** The generated files by name. Declarations need comments, which the code is better off without: hence two passes. */
function generate() {
  const folder = mkdtempSync(join(tmpdir(), "beamstorm-generate-"));
  try {
    const files = protoFiles(sources); // absolute: a file met under two names would be read twice
    const common = ["-t", "static-module", "-w", "esm", "-r", "beamstorm", "--force-long", "-p", sources, "-p", join(root, "node_modules/protobufjs")];
    run("pbjs", [...common, "-o", join(folder, "commented.js"), ...files]);
    run("pbts", ["-o", join(folder, "beam.d.ts"), join(folder, "commented.js")]);
    run("pbjs", [...common, "--no-comments", "-o", join(folder, "beam.js"), ...files]);
    return new Map(["beam.js", "beam.d.ts"].map((name) => [name, readFileSync(join(folder, name), "utf8")]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const generated = generate();
if (process.argv.includes("--check")) {
  const stale = [...generated].filter(([name, text]) => {
    try {
      return readFileSync(join(target, name), "utf8") !== text;
    } catch {
      return true;
    }
  });
  if (stale.length > 0) {
    console.error(`portability/protos/gen/${stale[0][0]} is not what the .proto files give: run npm run generate and commit the result`);
    process.exit(1);
  }
} else {
  mkdirSync(target, { recursive: true });
  for (const [name, text] of generated) writeFileSync(join(target, name), text);
  console.log(`generated ${[...generated.keys()].join(", ")}`);
}
