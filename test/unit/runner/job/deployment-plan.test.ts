// Who sends what to whom. Catches side inputs that a worker is sent more than once, or not at all.
import assert from "node:assert/strict";
import { planDeployment } from "../../../../runner/job/deployment-plan.js";
import { topologyOf } from "../../../support/topologies.js";

describe("planDeployment", () => {
  const topology = topologyOf(
    [
      { id: "side", outputs: ["s"], parallelism: 2 },
      { id: "main", outputs: ["m"] },
      { id: "first", parallelism: 4, sideInputs: ["s"] },
      { id: "second", parallelism: 3, sideInputs: ["s"] },
    ],
    [
      { from: "main", pcollection: "m", to: "first", grouping: "shuffle", coder: "int" },
      { from: "main", pcollection: "m", to: "second", grouping: "shuffle", coder: "int" },
      { from: "side", pcollection: "s", to: "first", grouping: "all", coder: "int", sideInput: "s" },
      { from: "side", pcollection: "s", to: "second", grouping: "all", coder: "int", sideInput: "s" },
    ],
  );

  for (const [workers, expected] of [
    [1, ["first #0"]],
    [2, ["first #0", "first #1"]],
    [4, ["first #0", "first #1", "first #2", "first #3"]],
  ] as const)
    it(`sends a side input to one task of each of ${workers} workers, from all that make it`, () => {
      const { channels } = planDeployment(topology, workers);
      const side = channels.filter(({ stream }) => stream.sideInput !== undefined);
      assert.deepEqual([...new Set(side.map(({ to }) => to.id))], expected);
      assert.equal(side.length, expected.length * 2);
      assert.equal(channels.length - side.length, 7, "all others have what they had");
    });

  it("sends it to another component where the first one is not", () => {
    const narrow = {
      ...topology,
      components: topology.components.map((each) => (each.id === "first" ? { ...each, parallelism: 1 } : each)),
    };
    const side = planDeployment(narrow, 3).channels.filter(({ stream }) => stream.sideInput !== undefined);
    assert.deepEqual([...new Set(side.map(({ to }) => `${to.id} in ${to.worker}`))].sort(), [
      "first #0 in 0",
      "second #1 in 1",
      "second #2 in 2",
    ]);
  });
});
