import { Command } from "commander";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { PipelineError } from "../portability/stage-host/index.js";
import { ExitCode } from "./exit-codes.js";
import { oneLine } from "./one-line.js";

/** Files of the template whose own names would mean something to npm. */
const NAMES: Readonly<Record<string, string>> = { gitignore: ".gitignore", vscode: ".vscode" };
const templates = fileURLToPath(new URL("./templates/", import.meta.url));

/** `beamstorm init [FOLDER]`: makes a project with a pipeline, a test and an editor's set-up. */
export async function initCommand(argv: readonly string[]): Promise<number> {
  const command = new Command("init")
    .usage("[FOLDER]")
    .description("make a project: a pipeline, a test, and a set-up to debug them")
    .argument("[FOLDER]", "a new or empty folder", ".")
    .exitOverride()
    .allowExcessArguments(false)
    .configureHelp({ commandUsage: () => "beamstorm init [FOLDER]" })
    .configureOutput({ outputError: (text, write) => write(`${oneLine(text)}; see beamstorm init --help\n`) });
  command.parse([...argv], { from: "user" });
  const given = command.processedArgs[0] as string;
  const folder = resolve(given);
  await mustBeEmpty(folder, given);
  const name = packageName(basename(folder));
  await copyTemplates(templates, folder, name);
  await writeFile(join(folder, "package.json"), `${JSON.stringify(await manifest(name), undefined, 2)}\n`);
  process.stdout.write(
    [
      "",
      `${name} is ready. Next:`,
      "",
      ...(folder === process.cwd() ? [] : [`  cd ${given}`]),
      "  npm install",
      "  npm start",
      "  npm test",
      "",
    ].join("\n"),
  );
  return ExitCode.DONE;
}

/** A repository may be there already, and what belongs to it. */
const MAY_BE_THERE = new Set([".git", ".DS_Store", ".idea"]);

async function mustBeEmpty(folder: string, given: string): Promise<void> {
  const found = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return [];
    const reason = cause.code === "ENOTDIR" ? "it is a file" : cause.message;
    throw new PipelineError("bad_folder", `cannot make a project in "${given}": ${reason}`, { cause });
  });
  const inTheWay = found.filter((name) => !MAY_BE_THERE.has(name)).sort();
  if (inTheWay.length === 0) return;
  const rest = inTheWay.length > 3 ? ` and ${inTheWay.length - 3} more` : "";
  throw new PipelineError(
    "folder_not_empty",
    `cannot make a project in "${given}": it has ${inTheWay.slice(0, 3).join(", ")}${rest} in it; name a new folder, or an empty one`,
  );
}

async function copyTemplates(from: string, to: string, name: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const parts = relative(from, join(entry.parentPath, entry.name)).split(/[/\\]/);
    const target = join(to, ...parts.map((part) => NAMES[part] ?? part));
    const text = await readFile(join(entry.parentPath, entry.name), "utf8");
    await mkdir(dirname(target), { recursive: true }).catch((cause: Error) => {
      throw new PipelineError("bad_folder", `cannot make "${dirname(target)}": ${cause.message}`, { cause });
    });
    await writeFile(target, text.replaceAll("{{name}}", name), { flag: "wx" });
  }
}

async function manifest(name: string): Promise<object> {
  const own = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
  return {
    name,
    private: true,
    type: "module",
    engines: { node: ">=20.19" },
    scripts: { start: "beamstorm run src/pipeline.ts", test: "tsc && node --import tsx --test test/pipeline.test.ts" },
    dependencies: { beamstorm: `^${own.version}` },
    devDependencies: { "@types/node": "^20.19", tsx: "^4.20", typescript: ">=5.9" },
  };
}

/** What npm takes for the name of a package. */
function packageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|-+$/g, "");
  return name === "" ? "pipeline" : name;
}
