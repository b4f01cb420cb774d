import assert from "node:assert/strict";
import {
  CorruptManifestError,
  decodeManifest,
  encodeManifest,
  ManifestVersionError,
  type Manifest,
} from "../../../../runner/checkpoint/index.js";

const manifest: Manifest = {
  version: 2,
  fingerprint: "f",
  epoch: 12,
  generation: 3,
  time: 1,
  keyGroups: 128,
  components: [{ id: "bolt", parallelism: 2, since: 0 }],
  tasks: [{ id: "bolt #0", inputWatermark: -5, isDone: false }],
  pieces: [{ name: "x.piece", bytes: 10, crc: 7, epoch: 11 }],
  isLast: false,
  counts: [],
};

describe("a manifest", () => {
  it("is read as it was written", () => {
    assert.deepEqual(decodeManifest(encodeManifest(manifest)), manifest);
  });

  it("is noticed to have changed, whichever byte it is, and to be cut off", () => {
    const text = encodeManifest(manifest);
    for (let at = 0; at < text.length - 1; at++) {
      const changed = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
      assert.throws(() => decodeManifest(changed), CorruptManifestError, `byte ${at}`);
      assert.throws(() => decodeManifest(text.slice(0, at)), CorruptManifestError, `${at} bytes`);
    }
  });

  for (const version of [1, 3])
    it(`of version ${version} is not guessed at`, () => {
      const other = encodeManifest({ ...manifest, version } as unknown as Manifest);
      assert.throws(() => decodeManifest(other), ManifestVersionError);
    });
});
