// Framing and the batch encoding, for any cut of the bytes and any bytes at all. Catches frames that depend on how they
// arrived, batches that change on their way, and decoders that hostile bytes can hang or make allocate.
import assert from "node:assert/strict";
import fc from "fast-check";
import { CoderError, globalWindowCoder, intervalWindowCoder, utf8Coder, type Coder } from "../../../portability/coders/index.js";
import {
  ElementMeta,
  GLOBAL_WINDOWS,
  IntervalWindow,
  NO_FIRING,
  ON_TIME_AND_ONLY,
  type Window,
} from "../../../portability/values/index.js";
import { BatchCodec, ElementBatch } from "../../../runner/runtime/index.js";
import { FrameDecoder, FrameType, frameBytes, FramingError, type Frame } from "../../../runner/runtime/frame-decoder.js";

const codecOf = (window: unknown): BatchCodec => new BatchCodec(utf8Coder as Coder<unknown>, window as Coder<Window>, 1 << 20);

const pushAll = (decoder: FrameDecoder, bytes: Buffer, cuts: readonly number[], deliver: (frame: Frame) => void): void => {
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  let from = 0;
  for (const to of [...at, bytes.length]) {
    if (to > from) decoder.push(bytes.subarray(from, to), deliver);
    from = to;
  }
};

describe("FrameDecoder", () => {
  it("gives the frames that were sent, wherever their bytes are cut", () => {
    const frame = fc.tuple(fc.constantFrom(...Object.values(FrameType)), fc.nat(0xffffffff), fc.uint8Array({ maxLength: 50 }));
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 10 }), fc.array(fc.nat(), { maxLength: 20 }), (sent, cuts) => {
        const got: unknown[] = [];
        const bytes = Buffer.concat(sent.map(([type, channel, payload]) => frameBytes(type, channel, payload)));
        pushAll(new FrameDecoder(1000), bytes, cuts, ({ type, channel, payload }) => got.push([type, channel, Uint8Array.from(payload)]));
        assert.deepEqual(
          got,
          sent.map(([type, channel, payload]) => [type, channel, Uint8Array.from(payload)]),
        );
      }),
    );
  });

  it("refuses hostile bytes with a FramingError, or waits for more of them", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.array(fc.nat(), { maxLength: 5 }), (bytes, cuts) => {
        try {
          pushAll(new FrameDecoder(64), Buffer.from(bytes), cuts, () => {});
        } catch (error) {
          assert.ok(error instanceof FramingError);
        }
      }),
    );
  });
});

describe("BatchCodec", () => {
  const interval = fc
    .tuple(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: 1, max: 50 }))
    .map(([start, size]) => new IntervalWindow(start, start + size));
  const meta = fc
    .tuple(fc.integer(), fc.array(interval, { minLength: 1, maxLength: 3 }), fc.constantFrom(NO_FIRING, ON_TIME_AND_ONLY))
    .map(([timestamp, windows, pane]) => new ElementMeta(timestamp, windows, pane));

  it("gives back every element with its meta, in order", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: "grapheme" }), meta), { maxLength: 30 }), (elements) => {
        const codec = codecOf(intervalWindowCoder);
        const batch = new ElementBatch();
        for (const [value, itsMeta] of elements) batch.push(value, itsMeta);
        const decoded: [unknown, ElementMeta][] = [];
        codec.encode(batch, 7, (frame) => {
          const part = codec.decode(frame.subarray(9));
          for (let i = 0; i < part.length; i++) decoded.push([part.values[i], part.metaAt(i)]);
        });
        assert.deepEqual(decoded, elements);
      }),
    );
  });

  it("cuts a large batch into several frames and refuses an element that no frame holds", () => {
    const codec = codecOf(globalWindowCoder);
    const batch = new ElementBatch();
    const sharedMeta = new ElementMeta(5, GLOBAL_WINDOWS, NO_FIRING);
    for (let i = 0; i < 300; i++) batch.push("x".repeat(1000), sharedMeta);
    let frames = 0;
    let elements = 0;
    codec.encode(batch, 1, (frame) => {
      frames++;
      elements += codec.decode(frame.subarray(9)).length;
    });
    assert.equal(elements, 300);
    assert.ok(frames >= 5 && frames <= 7, `${frames} frames`);
    const huge = new ElementBatch();
    huge.push("x".repeat(2 << 20), sharedMeta);
    assert.throws(() => codec.encode(huge, 1, () => {}), /an element takes 2097\d+ bytes/);
  });

  it("refuses hostile bytes with a CoderError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), (bytes) => {
        try {
          codecOf(intervalWindowCoder).decode(bytes);
        } catch (error) {
          assert.ok(error instanceof CoderError, String(error));
        }
      }),
    );
  });
});
