// All that can happen to a small job with checkpoints, in every order (checkpoint-world.ts). Holds in each state: what is published is a
// consistent cut; what was acted on is seen by every later generation; something can be done until the end; and the end is that of a run
// that nothing has happened to. With a defect in the protocol one of these does not hold, or the exploration would prove nothing.
import assert from "node:assert/strict";
import { CheckpointWorld, type Budget, type Defect } from "../../../support/checkpoint-world.js";
import { explore } from "../../../support/explore.js";

const budget = (elements: number, ticks: number, crashes = 0, losses = 0): Budget => ({ elements, ticks, crashes, losses });

describe("the protocol of checkpoints, in every order", () => {
  for (const [what, of, states] of [
    ["delays, in two epochs and the last one", budget(1, 2), 10_727],
    ["delays, of more elements", budget(2, 1), 5_519],
    ["two crashes", budget(1, 0, 2), 7_094],
    ["a loss", budget(1, 1, 0, 1), 7_496],
    ["a loss and a crash", budget(1, 0, 1, 1), 2_378],
    ["barriers that are not waited for", { ...budget(2, 1), overtakes: true }, 6_366],
    ["barriers that are not waited for, and a loss", { ...budget(1, 1, 0, 1), overtakes: true }, 8_792],
    ["a crash, what was about to be published then, and barriers that are not waited for", { ...budget(1, 1, 1), overtakes: true }, 31_836],
  ] as const)
    it(`holds with ${what}`, () => {
      assert.equal(explore(new CheckpointWorld(of)).states, states, "the protocol has changed: is all of it explored?");
    });

  const defects: Readonly<Record<Defect, readonly [Budget, RegExp]>> = {
    "passes a barrier that not all channels have brought": [budget(1, 1), /what was published is no cut/],
    "counts nothing": [budget(1, 1, 0, 1), /what was published is no cut/],
    "records nothing of what was overtaken": [{ ...budget(2, 1), overtakes: true }, /what was published is no cut/],
    "announces what is not published": [budget(1, 1), /announced, but not published/],
    "publishes before all have taken their part": [budget(1, 1), /is no cut|undefined/],
    "does not look for later generations": [budget(1, 1, 1), /was acted on, but generation 2 has not seen it/],
    "looks for manifests before it begins": [budget(1, 1, 1), /was acted on, but generation 2 has not seen it/],
    "hears of an epoch behind the next one": [budget(1, 2), /nothing can be done any more/],
    "does not freeze tasks that are over": [budget(1, 1), /nothing can be done any more/],
  };
  for (const [defect, [of, message]] of Object.entries(defects))
    it(`does not hold for one that ${defect}`, () => {
      assert.throws(() => explore(new CheckpointWorld(of, defect as Defect)), message);
    });
});
