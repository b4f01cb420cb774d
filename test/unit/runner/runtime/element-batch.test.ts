import assert from "node:assert/strict";
import { ElementMeta, GLOBAL_WINDOWS, IMPULSE_META, NO_FIRING } from "../../../../portability/values/index.js";
import { ElementBatch } from "../../../../runner/runtime/index.js";

const at = (timestamp: number) => new ElementMeta(timestamp, GLOBAL_WINDOWS, NO_FIRING);

describe("ElementBatch", () => {
  it("keeps one meta for all while all are the same", () => {
    const batch = new ElementBatch();
    for (let i = 0; i < 5; i++) batch.push(i, IMPULSE_META);
    assert.equal(batch.metas, undefined);
    assert.equal(batch.metaAt(4), IMPULSE_META);
    assert.equal(batch.length, 5);
  });

  it("gives each element its own meta from the first different one on", () => {
    const metas = [IMPULSE_META, IMPULSE_META, at(1), at(2), IMPULSE_META];
    const batch = new ElementBatch();
    metas.forEach((meta, i) => batch.push(i, meta));
    assert.deepEqual(
      metas.map((_, i) => batch.metaAt(i)),
      metas,
    );
    assert.equal(batch.metas?.length, 5);
  });
});
