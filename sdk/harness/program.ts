import { createHash } from "node:crypto";
import type { Coder } from "../../portability/coders/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import type { GraphBuilder } from "../model/graph-builder.js";
import { OwnWindowFn } from "../model/own-window-fn.js";
import type { Primitive, TransformNode } from "../model/transform-node.js";

/**
 * The functions of one built pipeline, found by the unique name of their transform (design D2).
 *
 * A function never travels: a payload names its transform, and whoever executes it builds the same pipeline again. The
 * fingerprint tells when that gave another pipeline.
 */
export class Program {
  private readonly nodes = new Map<string, TransformNode>();

  constructor(readonly graph: GraphBuilder) {
    const visit = (node: TransformNode): void => {
      this.nodes.set(node.uniqueName, node);
      node.children.forEach(visit);
    };
    visit(graph.root);
  }

  primitive<K extends Primitive["kind"]>(transform: string, kind: K): Extract<Primitive, { kind: K }> {
    const primitive = this.nodes.get(transform)?.primitive;
    if (primitive?.kind !== kind)
      throw new PipelineError(
        "program_mismatch",
        `the program has no ${kind} transform named "${transform}"; it is not the program that was submitted`,
      );
    return primitive as Extract<Primitive, { kind: K }>;
  }

  /** All coders that the pipeline names, with what they are made of. */
  coders(): ReadonlySet<Coder<unknown>> {
    const found = new Set<Coder<unknown>>();
    const add = (coder: Coder<unknown>): void => {
      if (found.has(coder)) return;
      found.add(coder);
      coder.components.forEach(add);
    };
    for (const { coder, windowing } of this.graph.pcollections) {
      add(coder);
      if (windowing.windowFn instanceof OwnWindowFn) add(windowing.windowFn.windowCoder);
    }
    for (const { primitive } of this.nodes.values())
      if (primitive?.kind === "test-stream") add(primitive.coder);
      else if (primitive?.kind === "par-do" && primitive.doFn.kind === "stateful")
        for (const { coders } of Object.values(primitive.doFn.state)) coders.forEach(add);
      else if (primitive?.kind === "par-do" && primitive.doFn.kind === "splittable")
        [primitive.doFn.restrictionCoder, primitive.doFn.watermarkStateCoder].forEach(add);
      else if (primitive?.kind === "combine-per-key" && primitive.combineFn.accumulatorCoder !== undefined)
        add(primitive.combineFn.accumulatorCoder);
    return found;
  }

  site(transform: string): string | undefined {
    return this.nodes.get(transform)?.site;
  }

  /** One line a transform: a digest of what it is and reads, and its name. */
  fingerprint(): string {
    const lines: string[] = [];
    for (const node of this.nodes.values()) {
      if (node.uniqueName === "") continue;
      const what = [node.primitive?.kind ?? "composite", ...[...node.inputs].map(([tag, p]) => `${tag}=${p.id}`), ...node.outputs.keys()];
      const windowing = node.primitive?.kind === "window-into" ? JSON.stringify(node.primitive.windowing) : "";
      lines.push(
        `${createHash("sha256")
          .update(`${what.join("|")}|${windowing}`)
          .digest("hex")
          .slice(0, 16)} ${node.uniqueName}`,
      );
    }
    return lines.join("\n");
  }

  /** @throws PipelineError naming the first transform that differs from the submitted pipeline's. */
  checkFingerprint(expected: string): void {
    const ours = this.fingerprint().split("\n");
    const theirs = expected.split("\n");
    for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
      if (ours[i] === theirs[i]) continue;
      const name = (theirs[i] ?? ours[i]).slice(17);
      throw new PipelineError(
        "program_mismatch",
        `the pipeline was built differently in this worker: transform "${name}" is the first that differs. A builder must give the same ` +
          `graph for the same options: it must not depend on time, randomness, or the machine`,
      );
    }
  }
}
