import assert from "node:assert/strict";
import { METRIC } from "../../../../portability/urns/index.js";
import type { beam } from "../../../../portability/protos/index.js";
import { BundleProgress } from "../../../../runner/bundles/bundle-progress.js";

type Infos = readonly beam.pipeline.IMonitoringInfo[];

const info = (urn: string, value: number): beam.pipeline.IMonitoringInfo => ({ urn, labels: { NAME: "a" }, payload: Uint8Array.of(value) });
const elements = (value: number): Infos => [info(METRIC.ELEMENT_COUNT, value)];

describe("BundleProgress", () => {
  const world = () => {
    const asked: { id: string; answer: (infos: Infos) => void; fail: () => void }[] = [];
    const told: string[] = [];
    let moves = 0;
    const progress = new BundleProgress({
      progressOf: (id) => new Promise((resolve, reject) => void asked.push({ id, answer: resolve, fail: () => reject(new Error("lost")) })),
      told: (id, infos) => void told.push(`${id} ${infos.map(({ payload }) => payload![0]).join()}`),
      moved: () => moves++,
    });
    /** Answers the last question, and lets that be heard. */
    const answer = async (infos: Infos): Promise<void> => {
      asked.at(-1)!.answer(infos);
      await new Promise(setImmediate);
    };
    return { progress, asked, told, answer, moves: () => moves };
  };

  it("asks about a bundle that has been under way for a beat, and at each further one", async () => {
    const { progress, asked, answer } = world();
    progress.begin("1");
    progress.beat();
    assert.equal(asked.length, 0);
    progress.beat();
    await answer(elements(1));
    progress.begin("2");
    progress.beat();
    assert.deepEqual(
      asked.map(({ id }) => id),
      ["1", "1"],
    );
  });

  it("asks about young ones too where somebody wants to know, one question at a time", () => {
    const { progress, asked } = world();
    progress.begin("1");
    progress.ask();
    progress.ask();
    progress.beat();
    progress.beat();
    assert.equal(asked.length, 1);
  });

  it("tells what is said of bundles under way, and nothing else", async () => {
    const { progress, asked, told, answer } = world();
    progress.begin("1");
    progress.ask();
    await answer(elements(3));
    progress.ask();
    await answer([]);
    progress.ask();
    asked.at(-1)!.fail();
    await new Promise(setImmediate);
    progress.ask();
    progress.end("1");
    await answer(elements(4));
    assert.deepEqual(told, ["1 3"]);
  });

  it("says that a bundle moves when anything but time does", async () => {
    const { progress, answer, moves } = world();
    progress.begin("1");
    const seen: number[] = [];
    for (const [count, milliseconds] of [
      [1, 1],
      [1, 2],
      [2, 2],
      [2, 3],
    ]) {
      progress.ask();
      await answer([...elements(count), info(METRIC.PROCESS_BUNDLE_MSECS, milliseconds), info(METRIC.TOTAL_MSECS, milliseconds)]);
      seen.push(moves());
    }
    assert.deepEqual(seen, [1, 1, 2, 2]);
  });
});
