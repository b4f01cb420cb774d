import { runBundles, type Kind } from "../fn-api/bundles.js";
import { expectEqual, type Side, type Work } from "../work.js";

const BUNDLE_ELEMENTS = 100_000;

const side = (name: string, kind: Kind, elementsOfEach: number, share?: number): Side => ({
  name,
  share,
  async run(size) {
    const bundles = Math.ceil(size / elementsOfEach);
    expectEqual(await runBundles(kind, bundles, elementsOfEach), kind === "drop" ? 0 : bundles * elementsOfEach, "elements");
  },
});

export const work: Work = {
  title:
    "elements of 16 bytes to a harness in another process that does nothing with them, from it, and bundles of one; its start is part of it",
  unit: "elements",
  target: "reported",
  size: 10_000_000,
  quickSize: 1_000_000,
  warmUpSize: 1_000_000,
  sides: [
    side("to the harness", "drop", BUNDLE_ELEMENTS),
    side("from the harness", "make", BUNDLE_ELEMENTS),
    side("there and back", "back", BUNDLE_ELEMENTS),
    side("bundles of one, there and back", "back", 1, 0.001),
  ],
  comment: ({ rate }) => (rate < 1e5 ? `${(1e6 / rate).toFixed(0)} µs a bundle` : `${(1e9 / rate).toFixed(0)} ns an element`),
};
