import assert from "node:assert/strict";
import { MetricNames } from "../../../../runner/bundles/metric-names.js";

const payload = (byte: number): Uint8Array => Uint8Array.of(byte);
const named = (id: string) => ({ urn: `test:${id}`, labels: { NAME: id } });

describe("MetricNames", () => {
  /** Knows all ids but "none". */
  const world = (limit?: number) => {
    const asked: string[][] = [];
    const answers: (() => void)[] = [];
    const names = new MetricNames((ids) => {
      asked.push([...ids]);
      const answer = Object.fromEntries(ids.filter((id) => id !== "none").map((id) => [id, named(id)]));
      return new Promise((resolve) => answers.push(() => resolve(answer)));
    }, limit);
    const answer = (): void => answers.splice(0).forEach((give) => give());
    return { names, asked, answer };
  };

  it("asks once for each name, also where two bundles meet it at a time", async () => {
    const { names, asked, answer } = world();
    const first = names.infosOf({ monitoringData: { a: payload(1), b: payload(2) } });
    const second = names.infosOf({ monitoringData: { b: payload(3), c: payload(4) } });
    answer();
    assert.deepEqual(await first, [
      { ...named("a"), payload: payload(1) },
      { ...named("b"), payload: payload(2) },
    ]);
    assert.deepEqual(
      (await second).map(({ urn }) => urn),
      ["test:b", "test:c"],
    );
    assert.deepEqual(await names.infosOf({ monitoringData: { c: payload(9) } }), [{ ...named("c"), payload: payload(9) }]);
    assert.deepEqual(asked, [["a", "b"], ["c"]]);
  });

  it("leaves out what the harness itself does not know, and names that every object has", async () => {
    const { names, asked, answer } = world();
    const data = { monitoringData: Object.fromEntries(["none", "toString", "a"].map((id) => [id, payload(1)])) };
    const found = names.infosOf(data);
    answer();
    assert.deepEqual(
      (await found).map(({ urn }) => urn),
      ["test:toString", "test:a"],
    );
    await names.infosOf(data);
    assert.equal(asked.length, 1);
    const lying = new MetricNames(() => Promise.resolve({}));
    assert.deepEqual(await lying.infosOf({ monitoringData: { toString: payload(1) } }), []);
  });

  it("keeps names up to a number of bytes, and asks for the others each time", async () => {
    const { names, asked, answer } = world(25);
    for (let i = 0; i < 2; i++) {
      const found = names.infosOf({ monitoringData: { a: payload(1), b: payload(2) } });
      answer();
      assert.equal((await found).length, 2);
    }
    assert.deepEqual(asked, [["a", "b"], ["b"]]);
  });

  it("asks again when the question has failed", async () => {
    let fails = true;
    const names = new MetricNames((ids) =>
      fails ? Promise.reject(new Error("gone")) : Promise.resolve(Object.fromEntries(ids.map((id) => [id, named(id)]))),
    );
    await assert.rejects(names.infosOf({ monitoringData: { a: payload(1) } }), /gone/);
    fails = false;
    assert.equal((await names.infosOf({ monitoringData: { a: payload(1) } })).length, 1);
  });

  it("takes metrics in full from a harness that has no short ids", async () => {
    const { names, asked } = world();
    const infos = [{ ...named("a"), payload: payload(1) }];
    assert.equal(await names.infosOf({ monitoringInfos: infos, monitoringData: {} }), infos);
    assert.deepEqual(asked, []);
  });
});
