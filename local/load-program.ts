// From a module's address to the program in it: the pipeline that it exports, built with options.
import { PipelineError, type StageHost } from "../portability/stage-host/index.js";
import { EmbeddedHost } from "../sdk/harness/embedded-host.js";
import { Program } from "../sdk/harness/program.js";
import { PipelineDefinition } from "../sdk/index.js";

/** What a worker process needs to build a pipeline again (design D2). */
export interface ProgramSpec {
  /** File URL of an ES module that node can import as it is. */
  readonly module: string;
  readonly exportName: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Of the graph that was submitted, see `Program.fingerprint`. */
  readonly fingerprint: string;
}

/** The stage host of a program, in a worker process. @throws PipelineError when the program is not the submitted one. */
export async function loadHost(spec: ProgramSpec): Promise<StageHost> {
  process.setSourceMapsEnabled(true); // errors name the author's own lines, as in the process that submitted the pipeline
  const definition = await importDefinition(spec.module, spec.exportName);
  const program = new Program(definition.build(spec.options));
  program.checkFingerprint(spec.fingerprint);
  return new EmbeddedHost(program);
}

/**
 * The pipeline that a module exports under `exportName`, or its only one.
 *
 * @throws PipelineError when the module exports none, or several and none is named or the default.
 */
export async function importDefinition(module: string, exportName?: string): Promise<PipelineDefinition> {
  return (await findDefinition(module, exportName)).definition;
}

/** As {@link importDefinition}, with the name that it was found under. Messages call the module `shown`. */
export async function findDefinition(
  module: string,
  exportName?: string,
  shown = "the module",
): Promise<{ name: string; definition: PipelineDefinition }> {
  const exported = (await import(module)) as Record<string, unknown>;
  const found = Object.entries(exported).filter((entry): entry is [string, PipelineDefinition] => entry[1] instanceof PipelineDefinition);
  const names = found.map(([name]) => name);
  const pick = (name: string) => found.find(([candidate]) => candidate === name);
  const chosen = exportName === undefined ? (pick("default") ?? (found.length === 1 ? found[0] : undefined)) : pick(exportName);
  if (chosen !== undefined) return { name: chosen[0], definition: chosen[1] };
  const how = 'export one: export default pipeline((p) => { … }), with pipeline from "beamstorm"';
  if (found.length === 0) throw new PipelineError("no_pipeline", `${shown} exports no pipeline; ${how}`);
  if (exportName !== undefined)
    throw new PipelineError("no_pipeline", `${shown} exports no pipeline named "${exportName}"; it has ${names.join(", ")}`);
  throw new PipelineError("many_pipelines", `${shown} exports several pipelines (${names.join(", ")}); name one with --pipeline`);
}
