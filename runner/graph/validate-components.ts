// Checks that every id in a pipeline's components leads somewhere.
import type { beam } from "../../portability/protos/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";

/** @throws PipelineError `dangling_reference`; `malformed_coder` if a coder contains itself. */
export function validateComponents(components: beam.pipeline.IComponents): void {
  const coders = new Map(Object.entries(components.coders ?? {}));
  const strategies = new Map(Object.entries(components.windowingStrategies ?? {}));
  const pcollections = new Map(Object.entries(components.pcollections ?? {}));

  for (const [id, coder] of coders)
    for (const component of coder.componentCoderIds ?? [])
      if (!coders.has(component)) throw dangling(`coder "${id}"`, "component coder", component);
  validateCoderTrees(coders);
  for (const [id, strategy] of strategies)
    if (strategy.windowCoderId && !coders.has(strategy.windowCoderId))
      throw dangling(`windowing strategy "${id}"`, "window coder", strategy.windowCoderId);
  for (const [id, pcollection] of pcollections) {
    const { coderId, windowingStrategyId } = pcollection;
    if (!coders.has(coderId ?? "")) throw dangling(`PCollection "${id}"`, "coder", coderId ?? "");
    if (!strategies.has(windowingStrategyId ?? "")) throw dangling(`PCollection "${id}"`, "windowing strategy", windowingStrategyId ?? "");
  }
  for (const [id, transform] of Object.entries(components.transforms ?? {}))
    for (const pcollection of [...Object.values(transform.inputs ?? {}), ...Object.values(transform.outputs ?? {})])
      if (!pcollections.has(pcollection)) throw dangling(`transform "${transform.uniqueName || id}"`, "PCollection", pcollection);
}

function dangling(owner: string, what: string, id: string): PipelineError {
  return new PipelineError(
    "dangling_reference",
    `${owner} names the ${what} "${id}", which the pipeline does not contain; submit complete components`,
  );
}

/** A coder that contains itself has no end when it is instantiated. */
function validateCoderTrees(coders: ReadonlyMap<string, beam.pipeline.ICoder>): void {
  const state = new Map<string, "open" | "done">();
  for (const root of coders.keys()) {
    const path = state.has(root) ? [] : [{ id: root, next: 0 }];
    state.set(root, state.get(root) ?? "open");
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const children = coders.get(top.id)!.componentCoderIds ?? [];
      if (top.next === children.length) {
        state.set(top.id, "done");
        path.pop();
        continue;
      }
      const child = children[top.next++];
      if (state.get(child) === "open")
        throw new PipelineError("malformed_coder", `coder "${child}" contains itself; a coder must be a tree`);
      if (state.has(child)) continue;
      state.set(child, "open");
      path.push({ id: child, next: 0 });
    }
  }
}
