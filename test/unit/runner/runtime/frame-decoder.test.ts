import assert from "node:assert/strict";
import { FrameDecoder, FrameType, frameBytes, FramingError, type Frame } from "../../../../runner/runtime/frame-decoder.js";

const frames = [
  frameBytes(FrameType.DATA, 1, Buffer.from("hello")),
  frameBytes(FrameType.WATERMARK, 2, Buffer.alloc(8)),
  frameBytes(FrameType.DATA, 3, Buffer.alloc(0)),
  frameBytes(FrameType.CREDIT, 4_000_000_000, Buffer.alloc(300, 7)),
];

function decode(chunks: readonly Uint8Array[], maxFrameBytes = 1000): { type: number; channel: number; payload: string }[] {
  const decoder = new FrameDecoder(maxFrameBytes);
  const decoded: Frame[] = [];
  for (const chunk of chunks) decoder.push(Buffer.from(chunk), (frame) => decoded.push(frame));
  return decoded.map(({ type, channel, payload }) => ({ type, channel, payload: Buffer.from(payload).toString("latin1") }));
}

describe("FrameDecoder", () => {
  const expected = decode(frames);

  it("reads type, channel and payload", () => {
    assert.deepEqual(
      expected.map(({ type, channel, payload }) => [type, channel, payload.length]),
      [
        [FrameType.DATA, 1, 5],
        [FrameType.WATERMARK, 2, 8],
        [FrameType.DATA, 3, 0],
        [FrameType.CREDIT, 4_000_000_000, 300],
      ],
    );
  });

  it("gives the same frames wherever the bytes are cut", () => {
    const bytes = Buffer.concat(frames);
    for (const size of [1, 2, 3, 5, 8, 13, 64, bytes.length]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
      assert.deepEqual(decode(chunks), expected, `cut every ${size} bytes`);
    }
  });

  it("refuses a length beyond its bound at once, without waiting for the bytes", () => {
    assert.throws(() => decode([Buffer.from([0, 0, 4, 0])], 1000), FramingError);
    assert.throws(() => decode([Buffer.from([0xff, 0xff, 0xff, 0xff])]), FramingError);
  });

  it("refuses a length that has no room for the header", () => {
    assert.throws(() => decode([Buffer.from([0, 0, 0, 4, 1, 0, 0, 0, 0])]), FramingError);
  });

  it("refuses an unknown type", () => {
    const bytes = Buffer.from(frames[0]);
    bytes[4] = 99;
    assert.throws(() => decode([bytes]), FramingError);
  });
});
