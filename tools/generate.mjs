// `npm run generate`: portability/protos/gen/ from our .proto files; `--check` compares instead of writing.
//
// G1. The same .proto files and the same protobufjs give the same bytes, on any machine: files are read in order, and no
//     path or time gets into the output.
// G2. What only describes descriptors (google/protobuf/descriptor.proto, and the options on enum values that extend it) is
//     left out: it is never on the wire and would be a quarter of the code.
// G3. The declarations carry the comments of the .proto files, the code carries none.
// G4. The short interface names (`IPipeline` for `Pipeline.$Properties`) are not marked as deprecated.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { setup } from "./setup.mjs";
import { CommandFailure, filesUnder, isMain, main, node, progress, readIfThere, root } from "./lib.mjs";

const sources = "portability/protos/src";
const outputs = { code: "portability/protos/gen/beam.js", types: "portability/protos/gen/beam.d.ts" };
const descriptorFile = "google/protobuf/descriptor.proto";

const pbjs = join(root, "node_modules/protobufjs-cli/bin/pbjs");
const options = ["-t", "static-module", "-w", "esm", "-r", "beamstorm", "--force-long", "--no-verify", "--no-delimited", "--no-typeurl"];

export async function generate(args = process.argv.slice(2)) {
  await setup();
  const generated = await generateAll();
  const changed = Object.entries(generated).filter(([file, text]) => readIfThere(file) !== text);
  if (args.includes("--check")) {
    if (changed.length === 0) return 0;
    const files = changed.map(([file]) => file).join(" and ");
    throw new CommandFailure(`${files} differ from what ${sources} gives; run \`npm run generate\` and commit the result`);
  }
  for (const [file, text] of changed) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
    progress(`wrote ${file}`);
  }
  if (changed.length === 0) progress("nothing to generate: everything is up to date");
  return 0;
}

/** The text of every output, by file. */
async function generateAll() {
  const folder = mkdtempSync(join(tmpdir(), "beamstorm-generate-"));
  try {
    const model = join(folder, "model.json");
    writeFileSync(model, JSON.stringify(await loadModel()));
    await Promise.all([
      runPbjs([...options, "-o", join(folder, "typed.js"), "--dts", model]),
      runPbjs([...options, "--no-comments", "-o", join(folder, "beam.js"), model]),
    ]);
    const read = (file) => readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n");
    return { [outputs.code]: read("beam.js"), [outputs.types]: withoutDeprecation(read("typed.d.ts")) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** G4: `IPipeline` is the short name that our code uses, so an editor shall not strike it through. */
const withoutDeprecation = (types) => types.replace(/^ *\* @deprecated Use \S+\.\$Properties instead\.\n/gm, "");

async function runPbjs(args) {
  const { code, output } = await node([pbjs, ...args], { quiet: true });
  if (code !== 0) throw new CommandFailure(`pbjs failed:\n${output}`);
}

/** All our .proto files as one tree in protobufjs's JSON, without what describes descriptors (G2). */
async function loadModel() {
  const { default: protobuf } = await import("protobufjs");
  const tree = new protobuf.Root();
  tree.resolvePath = (_, target) => {
    if (target in protobuf.common || isAbsolute(target)) return target;
    const ours = join(root, sources, target);
    return existsSync(ours) ? ours : join(root, "node_modules/protobufjs", target);
  };
  const files = filesUnder(sources).filter((file) => file.endsWith(".proto"));
  tree.loadSync(
    files.map((file) => join(root, file)),
    { alternateCommentMode: true },
  );
  tree.resolveAll();
  removeWhere(tree, (object) => object.filename?.replaceAll("\\", "/").endsWith(descriptorFile) || object.extend !== undefined);
  return tree.toJSON({ keepComments: true });
}

function removeWhere(parent, isUnwanted) {
  for (const object of parent.nestedArray) {
    if (isUnwanted(object)) parent.remove(object);
    else if (object.nestedArray) removeWhere(object, isUnwanted);
  }
}

if (isMain(import.meta)) await main(generate);
