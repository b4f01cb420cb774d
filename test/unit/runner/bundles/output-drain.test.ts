import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { ByteReader, ByteWriter, globalWindowCoder, WindowedValueCoder } from "../../../../portability/coders/index.js";
import type { StageContext } from "../../../../portability/stage-host/index.js";
import { IMPULSE_META } from "../../../../portability/values/index.js";
import { OutputDrain } from "../../../../runner/bundles/output-drain.js";
import { OverflowFile, type Stored } from "../../../../runner/bundles/overflow-file.js";
import { rawCoder } from "../../../../runner/bundles/raw-coder.js";
import { bytesOfRaw, type RawValue } from "../../../../runner/bundles/raw-value.js";
import { temporaryFolder } from "../../../support/temporary-folder.js";

const coder = new WindowedValueCoder(rawCoder("bytes", { bytes: { spec: { urn: "beam:coder:bytes:v1" } } }), globalWindowCoder);

/** One element: its number, and so many bytes. */
function chunk(number: number, size: number): Uint8Array {
  const value = new ByteWriter();
  value.writeVarint(size);
  value.writeBytes(new Uint8Array(size).fill(number));
  const writer = new ByteWriter();
  coder.encodeParts(value.toBytes(), IMPULSE_META, writer);
  return writer.toBytes();
}

class CountedFile extends OverflowFile {
  stored = 0;
  override store(bytes: Uint8Array): Stored {
    this.stored++;
    return super.store(bytes);
  }
}

describe("OutputDrain", () => {
  const folder = temporaryFolder();
  const SIZE = 1000;

  const open = (most: number) => {
    const got: number[] = [];
    const state = { pauses: true, resume: () => {} };
    const context: StageContext = {
      outputs: new Map(),
      sideInputs: new Map(),
      shouldPause: () => state.pauses,
      resume: () => new Promise((resolve) => (state.resume = resolve)),
    };
    const receive = (value: unknown): void => {
      const reader = new ByteReader(bytesOfRaw(value as RawValue));
      assert.equal(reader.readLength(), SIZE);
      got.push(reader.readByte());
    };
    const file = new CountedFile(folder.path);
    return { drain: new OutputDrain(context, most, file), port: { coder, receive, elements: 0 }, got, state, file };
  };

  it("keeps the order of what waits, in memory and on disk, and leaves nothing behind", async () => {
    const { drain, port, got, state, file } = open(3 * (SIZE + 32));
    for (let i = 0; i < 10; i++) drain.add(port, chunk(i, SIZE));
    assert.equal(drain.deliver(), false);
    assert.equal(file.stored, 7);
    const all = drain.deliverAll();
    for (let i = 10; i < 20; i++) drain.add(port, chunk(i, SIZE));
    state.pauses = false;
    state.resume();
    await all;
    assert.deepEqual(
      got,
      Array.from({ length: 20 }, (_, i) => i),
    );
    assert.ok(drain.isEmpty);
    assert.deepEqual(readdirSync(folder.path), []);
  });

  it("writes nothing while the task takes what comes, and takes a chunk of any size", () => {
    for (const [most, together] of [
      [SIZE / 2, 1],
      [3 * (SIZE + 32), 3],
    ]) {
      const { drain, port, got, state, file } = open(most);
      state.pauses = false;
      for (let round = 0; round < 5; round++) {
        for (let i = 0; i < together; i++) drain.add(port, chunk(i, SIZE));
        assert.ok(drain.deliver());
      }
      assert.deepEqual([got.length, file.stored], [5 * together, 0]);
    }
  });

  it("forgets what waits when it is cleared", () => {
    const { drain, port, got, state } = open(SIZE / 2);
    for (let i = 0; i < 5; i++) drain.add(port, chunk(i, SIZE));
    drain.clear();
    state.pauses = false;
    drain.add(port, chunk(7, SIZE));
    assert.ok(drain.deliver());
    assert.deepEqual(got, [7]);
    assert.deepEqual(readdirSync(folder.path), []);
  });
});
