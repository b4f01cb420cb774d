import assert from "node:assert/strict";
import { lengthPrefixUnknownCoders, pipelineGraph, type PipelineGraph } from "../../../../runner/graph/index.js";
import { PipelineBuilder } from "../../../support/pipeline-builder.js";

function grouping(environment: string): PipelineGraph {
  const p = new PipelineBuilder();
  const keyed = p.parDo("key", p.impulse(), "key by mod 3", { environment });
  p.parDo("use", p.reshuffle("deal", p.groupByKey("group", keyed)), "fold", { environment });
  return pipelineGraph(p.build());
}

/** A coder as a term, e.g. `kv(any,any)`. */
function term(graph: PipelineGraph, coderId: string): string {
  const coder = graph.components.coders![coderId];
  const components = (coder.componentCoderIds ?? []).map((id) => term(graph, id));
  return coder.spec!.urn!.split(":")[2] + (components.length > 0 ? `(${components.join(",")})` : "");
}

const coderOf = (graph: PipelineGraph, pcollection: string): string => term(graph, graph.components.pcollections![pcollection].coderId!);

describe("lengthPrefixUnknownCoders", () => {
  it("leaves a pipeline of embedded environments as it is", () => {
    const graph = grouping("embedded");
    assert.equal(lengthPrefixUnknownCoders(graph), graph);
  });

  it("prefixes what the runner does not know, inside of what it knows", () => {
    const graph = lengthPrefixUnknownCoders(grouping("docker"));
    assert.equal(coderOf(graph, "impulse.0"), "bytes");
    assert.equal(coderOf(graph, "key.0"), "kv(length_prefix(any),length_prefix(any))");
    assert.equal(coderOf(graph, "use.0"), "length_prefix(any)");
  });

  it("rewrites PCollections between transforms of the runner, and keys alike on both sides of a grouping", () => {
    const graph = lengthPrefixUnknownCoders(grouping("docker"));
    assert.equal(coderOf(graph, "group.0"), "kv(length_prefix(any),iterable(length_prefix(any)))");
    assert.equal(coderOf(graph, "deal.0"), "kv(length_prefix(any),iterable(length_prefix(any)))");
  });

  it("prefixes nothing twice", () => {
    const once = lengthPrefixUnknownCoders(grouping("docker"));
    const twice = lengthPrefixUnknownCoders(once);
    assert.deepEqual(twice.components.pcollections, once.components.pcollections);
  });

  it("asks the given predicates", () => {
    const all = lengthPrefixUnknownCoders(grouping("docker"), { isKnownCoder: () => true });
    assert.equal(coderOf(all, "key.0"), "kv(any,any)");
    const none = lengthPrefixUnknownCoders(grouping("embedded"), { isEmbedded: () => false, isKnownCoder: () => false });
    assert.equal(coderOf(none, "key.0"), "length_prefix(kv(any,any))");
  });

  it("keeps the coders of PCollections that only embedded environments touch", () => {
    const p = new PipelineBuilder();
    const start = p.impulse();
    p.parDo("local", start);
    p.parDo("remote", start, "increment", { environment: "docker" });
    const graph = lengthPrefixUnknownCoders(pipelineGraph(p.build()));
    assert.equal(coderOf(graph, "local.0"), "any");
    assert.equal(coderOf(graph, "remote.0"), "length_prefix(any)");
  });

  it("puts its end in front of a window that it does not know, wherever windows are encoded", () => {
    const p = new PipelineBuilder();
    p.parDo("remote", p.impulse(), "increment", { environment: "docker" });
    p.windowingStrategies["global"].windowCoderId = "any";
    const once = lengthPrefixUnknownCoders(pipelineGraph(p.build()));
    const windowCoder = (graph: PipelineGraph): string => graph.components.windowingStrategies!["global"].windowCoderId!;
    assert.equal(term(once, windowCoder(once)), "custom_window(length_prefix(any))");
    assert.equal(windowCoder(lengthPrefixUnknownCoders(once)), windowCoder(once));
    p.environments["docker"] = p.environments["embedded"];
    assert.equal(windowCoder(lengthPrefixUnknownCoders(pipelineGraph(p.build()))), "any");
  });
});
