import assert from "node:assert/strict";
import type { NextRead, SourceReader } from "../../../../portability/stage-host/index.js";
import { MAX_TIMESTAMP } from "../../../../portability/values/index.js";
import { SourceHead, VirtualClock } from "../../../../runner/runtime/index.js";
import { readSourceMark } from "../../../../runner/runtime/source-snapshot.js";
import { NO_GROUP, SectionMerger, SectionWriter, type SnapshotPart, type StateRecord } from "../../../../runner/snapshot/index.js";

/** A source of the numbers from `at` up to 5, whose position is the next one. */
function open(at: number, tells = true): { head: SourceHead; part: SnapshotPart; found: unknown[] } {
  const found: unknown[] = [];
  const reader: SourceReader = {
    idleAfterMs: Infinity,
    followsClock: false,
    read(emit): NextRead {
      if (at >= 5) return "end";
      emit(at, at++);
      return "more";
    },
    watermark: () => at,
    ...(tells ? { position: () => Uint8Array.of(at) } : {}),
    drain() {},
    close: () => Promise.resolve(),
  };
  const head = new SourceHead(
    reader,
    (value) => found.push(value),
    new VirtualClock(),
    () => {},
  );
  return { head, part: head.snapshot, found };
}

/** Freezes, lets the source go on, and only then writes. */
function snapshot({ head, part }: { head: SourceHead; part: SnapshotPart }): readonly StateRecord[] {
  const sections: Uint8Array[] = [];
  const writer = new SectionWriter((group, bytes) => {
    assert.equal(group, NO_GROUP);
    sections.push(Uint8Array.from(bytes));
  });
  part.freeze(writer, 1);
  head.drain(() => false);
  assert.ok(part.write(() => false));
  writer.flush();
  const merger = new SectionMerger();
  for (const section of sections) merger.add(section);
  return [...merger.result];
}

describe("the snapshot of a source", () => {
  it("is where its reader was when it was frozen, whenever it is written", () => {
    const source = open(0);
    source.head.advance();
    source.head.drain(() => false);
    const records = snapshot(source);
    assert.deepEqual(source.found, [0, 1]);
    const mark = readSourceMark(records)!;
    assert.deepEqual({ ...mark, position: [...mark.position!] }, { isOver: false, watermark: 1, position: [1] });
    const next = open(mark.position![0]);
    next.part.restore(records, 0);
    next.head.advance();
    while (!next.head.drain(() => false));
    assert.deepEqual(next.found, [1, 2, 3, 4]);
  });

  it("keeps the watermark, though the reader begins anew for want of a position", () => {
    const source = open(3, false);
    source.head.advance();
    const records = snapshot(source);
    assert.equal(readSourceMark(records)?.position, undefined);
    const next = open(0, false);
    next.part.restore(records, 0);
    assert.equal(next.head.hold(), 3);
  });

  it("knows of its end", () => {
    const source = open(5);
    source.head.advance();
    source.head.drain(() => false);
    const records = snapshot(source);
    const next = open(0);
    next.part.restore(records, 0);
    next.head.advance();
    assert.ok(!next.head.draining);
    assert.equal(next.head.hold(), MAX_TIMESTAMP);
  });

  it("is nothing where there was none", () => {
    assert.equal(readSourceMark([]), undefined);
  });
});
