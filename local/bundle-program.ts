// Makes an author's module, TypeScript included, one ES module that node can import: design D2's "program".
import { rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Plugin } from "esbuild";
import { PipelineError } from "../portability/stage-host/index.js";
import { makeProcessFolder } from "../runner/store/index.js";

/** A module ready to be imported, and what to do when nobody needs it any more. */
export interface BundledProgram {
  /** File URL. */
  readonly module: string;
  dispose(): Promise<void>;
}

/**
 * Bundles the author's own files; packages stay where they are installed. JavaScript modules are used as they are.
 *
 * @throws PipelineError when the file does not exist or does not compile.
 */
export async function bundleProgram(file: string): Promise<BundledProgram> {
  const path = resolve(file);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new PipelineError("no_such_program", `there is no file "${file}" (in ${process.cwd()})`);
  if (!found.isFile()) throw new PipelineError("no_such_program", `"${file}" is not a file; name a module that exports a pipeline`);
  if ([".js", ".mjs", ".cjs"].includes(extname(path))) return { module: pathToFileURL(path).href, dispose: () => Promise.resolve() };
  const { build } = await import("esbuild");
  const folder = makeProcessFolder(tmpdir(), "program");
  const outfile = join(folder, "program.mjs");
  const dispose = () => rm(folder, { recursive: true, force: true });
  try {
    await build({
      entryPoints: [path],
      outfile,
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20",
      sourcemap: "inline",
      sourcesContent: false,
      logLevel: "silent",
      plugins: [packagesStay],
    });
  } catch (cause) {
    await dispose();
    throw new PipelineError("program_does_not_compile", `"${file}" cannot be compiled: ${messageOf(cause)}`, { cause });
  }
  return { module: pathToFileURL(outfile).href, dispose };
}

/** Leaves packages out of the bundle, named by the file they resolve to from where they are imported. */
const packagesStay: Plugin = {
  name: "packages-stay",
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, resolveDir, kind }) => {
      if (path.startsWith("node:") || pluginData === packagesStay) return undefined;
      const found = await build.resolve(path, { resolveDir, kind, pluginData: packagesStay });
      if (found.errors.length > 0 || found.external) return found;
      return { path: pathToFileURL(found.path).href, external: true };
    });
  },
};

function messageOf(cause: unknown): string {
  const errors = (cause as { errors?: { text: string; location?: { file: string; line: number; column: number } | null }[] }).errors;
  if (errors === undefined || errors.length === 0) return cause instanceof Error ? cause.message : String(cause);
  const { text, location } = errors[0];
  return location ? `${text} (${location.file}:${location.line}:${location.column + 1})` : text;
}
