// The coders of what tasks take and keep, found by the PCollections and windowing strategies of their stages.
import type { Coder } from "../../portability/coders/coder.js";
import { PipelineError, type StageDescriptor, type StageHost } from "../../portability/stage-host/index.js";
import type { KV, Window } from "../../portability/values/index.js";
import type { KeptElementCoders } from "../runtime/index.js";
import { KeyGroups, keySpaceOf } from "../store/index.js";
import type { Component, Head } from "../topology/index.js";

/** Who knows the coders, and how many key groups keys belong to. */
export interface StageCoders {
  readonly host: StageHost;
  readonly keyGroups: number;
}

/** Of the keys of elements. @throws PipelineError naming what is to be grouped, if the elements have none */
export function keyCoderOf(coder: Coder<unknown>, where: string): Coder<unknown> {
  if (coder.urn === "beam:coder:kv:v1" && coder.components.length === 2) return coder.components[0];
  throw new PipelineError("not_keyed", `"${where}" groups elements whose coder is ${coder.urn}; only key-value pairs can be grouped`);
}

export function windowCoderOf(host: StageHost, stage: StageDescriptor, windowingStrategyId: string): Coder<Window> {
  const { windowCoderId } = stage.components.windowingStrategies?.[windowingStrategyId] ?? {};
  return host.coder(stage, windowCoderId ?? "") as Coder<Window>;
}

/** How elements on their way to a component's head become bytes, and where they belong if that matters. */
export function inputCodersOf(coders: StageCoders, { stage, head }: Component): KeptElementCoders {
  const pcollection = head.kind === "group-by-key" ? head.input : head.output;
  return elementCodersOf(coders, stage, pcollection, isKeyed(head) ? head.transformName : undefined);
}

/** How elements on their way into a stage become bytes, and where they belong if that matters. */
export function keptCodersOf(coders: StageCoders, { stage, head }: Component): KeptElementCoders {
  return elementCodersOf(coders, stage, head.output, head.kind === "keyed" ? head.transformName : undefined);
}

/** Whether its elements are of a key each. */
export function isKeyed(head: Head): head is Extract<Head, { kind: "group-by-key" | "keyed" }> {
  return head.kind === "group-by-key" || head.kind === "keyed";
}

/** @param keyedFor the transform that they are keyed for */
function elementCodersOf(
  { host, keyGroups }: StageCoders,
  stage: StageDescriptor,
  pcollection: string,
  keyedFor: string | undefined,
): KeptElementCoders {
  const { coderId, windowingStrategyId } = stage.components.pcollections?.[pcollection] ?? {};
  const element = host.coder(stage, coderId ?? "");
  const window = windowCoderOf(host, stage, windowingStrategyId ?? "");
  if (keyedFor === undefined) return { element, window };
  const keys = keySpaceOf(keyCoderOf(element, keyedFor));
  const groups = new KeyGroups(keyGroups, keys);
  return { element, window, groupOf: (value) => groups.of(keys.identify((value as KV<unknown, unknown>).key)) };
}
