// All that can happen to tasks that deal one restriction out to each other, in every order (dealing-world.ts). Holds in each state: all of the
// restriction is with one task, done, or on its way, once; so it is in each checkpoint; nothing is late; and every task comes to its end.
import assert from "node:assert/strict";
import { MIN_TIMESTAMP } from "../../../../portability/values/index.js";
import { Dealing, type DealingTask, type PeerMessage } from "../../../../runner/runtime/dealing.js";
import { DealingWorld, type DealingBudget, type DealingDefect } from "../../../support/dealing-world.js";
import { explore } from "../../../support/explore.js";

const budget = (tasks: number, positions: number, epochs = 0, failures = 0, crashes = 0): DealingBudget => ({
  tasks,
  positions,
  epochs,
  failures,
  crashes,
});

interface Piece {
  readonly watermark: number;
}

describe("a task that leaves", () => {
  it("asks for nothing more, though it is given something that was sent before that was known", () => {
    const said: string[] = [];
    const task: DealingTask<Piece> = {
      watermark: MIN_TIMESTAMP,
      send: (peer, { type }) => said.push(`${peer} ${type}`),
      take: () => {},
      giveBack: (piece) => piece,
      caughtUp: () => {},
    };
    const dealing = new Dealing<Piece>(2);
    const hears = (peer: number, message: PeerMessage<Piece>): void => {
      dealing.receive(peer, message);
      dealing.hear(task);
    };
    for (const peer of [0, 1]) hears(peer, { type: "ask", watermark: 0, isOver: true });
    dealing.rest(task, true);
    hears(0, { type: "give", residual: { watermark: 5 } });
    dealing.rest(task, true);
    assert.deepEqual(said, ["0 ask", "1 ask", "0 leave", "1 leave", "0 taken", "1 busy"]);
  });

  it("is given nothing, whatever it has asked", () => {
    const task: DealingTask<Piece> = {
      watermark: MIN_TIMESTAMP,
      send: () => {},
      take: () => {},
      giveBack: (piece) => piece,
      caughtUp: () => {},
    };
    const dealing = new Dealing<Piece>(1);
    for (const message of [{ type: "leave" }, { type: "ask", watermark: 0, isOver: true }] as const) dealing.receive(0, message);
    dealing.hear(task);
    assert.equal(dealing.isAsked, false);
    assert.equal(dealing.mayGive({ watermark: 5 }), false);
  });
});

describe("dealing, in every order", () => {
  for (const [what, of] of [
    ["two tasks", budget(2, 5)],
    ["three tasks", { ...budget(3, 2), isTimeless: true }],
    ["bundles that fail", budget(2, 4, 0, 2)],
    ["two epochs", budget(2, 2, 2)],
    ["an epoch, and a bundle that fails", budget(2, 2, 1, 1)],
    ["input that ends", { ...budget(2, 3), hasInput: true }],
    ["a crash", budget(2, 2, 1, 0, 1)],
  ] as const)
    it(`loses and doubles nothing, with ${what}`, () => {
      const { states, ends } = explore(new DealingWorld(of), 400_000);
      assert.ok(states > 100 && ends > 0, `${states} states`);
    });

  const defects: Readonly<Record<DealingDefect, readonly [DealingBudget, RegExp]>> = {
    "hears what is behind a barrier": [budget(2, 3, 2), /is not the restriction/],
    "records nothing that comes late": [budget(2, 3, 1), /what is published is not the restriction/],
    "takes what would be late here": [{ ...budget(2, 3), hasInput: true }, /late/],
    "lets its watermark go when it gives": [{ ...budget(2, 3), hasInput: true }, /late/],
    "gives within the bundle": [budget(2, 3, 0, 1), /is not the restriction/],
    "gives before it has its answer": [{ ...budget(2, 3), hasInput: true }, /late/],
  };
  for (const [defect, [of, message]] of Object.entries(defects))
    it(`does not hold for one that ${defect}`, () => {
      assert.throws(() => explore(new DealingWorld(of, defect as DealingDefect), 400_000), message);
    });
});
