// State that is on disk most of the time against the same in memory: calls, timers, expirations and what they see, through bundles that fail,
// windows that expire, snapshots that are written a bit at a time while everything goes on, and restores from them. Catches records that are lost or
// there twice, timers that fire late or not at all, holds that let the watermark pass, snapshots without what has gone to disk, or with what changed
// later, and memory that is never given back.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import fc from "fast-check";
import { intervalWindowCoder, kvCoder, utf8Coder, varintCoder, type Coder } from "../../../portability/coders/index.js";
import type { FiredTimer } from "../../../portability/stage-host/index.js";
import {
  ElementMeta,
  IntervalWindow,
  kv,
  MIN_TIMESTAMP,
  NO_FIRING,
  type KV,
  type Receiver,
  type Timestamp,
  type Window,
} from "../../../portability/values/index.js";
import { KeyedHead, KeyedSnapshot, KeyedStore, type KeyedCoders, type KeyedSpec } from "../../../runner/keyed/index.js";
import { newestFirst, SectionMerger, SectionWriter, type StateRecord, type StoredSection } from "../../../runner/snapshot/index.js";
import { KeyGroups, keySpaceOf } from "../../../runner/store/index.js";
import { EvictionFolder, type EvictingOptions } from "../../support/evicting.js";

const utf8 = utf8Coder as Coder<unknown>;
const number = varintCoder as Coder<unknown>;
const text = keySpaceOf(utf8);
const groups = new KeyGroups(8, text);
const coders: KeyedCoders = {
  key: utf8,
  window: intervalWindowCoder as Coder<Window>,
  element: kvCoder(utf8, number) as Coder<unknown>,
  cells: [[number], [number], [utf8, number], [number]],
};
const specOf = (expirationFamily: string | undefined, isTimeSorted: boolean): KeyedSpec => ({
  keys: text,
  cells: [
    { kind: "value", id: "value" },
    { kind: "bag", id: "bag" },
    { kind: "multimap", id: "map", mapKeys: text },
    { kind: "ordered-list", id: "list" },
  ],
  families: [
    { id: "event", domain: "event" },
    { id: "processing", domain: "processing" },
  ],
  expirationFamily,
  allowedLatenessMs: isTimeSorted ? 0 : 5,
  ...(isTimeSorted ? { isTimeSorted, lagMs: 5 } : {}),
});

/** Windows of a hundred milliseconds. */
const windowOf = (timestamp: Timestamp): Window => {
  const start = Math.floor(timestamp / 100) * 100;
  return new IntervalWindow(start, start + 100);
};

/** What a run has come to when it is frozen, and is restored from. */
interface Checkpoint {
  readonly mergers: ReadonlyMap<number, SectionMerger>;
  /** By key group, the sections of each snapshot. */
  readonly snapshots: ReadonlyMap<number, readonly (readonly Uint8Array[])[]>;
  readonly watermark: Timestamp;
  readonly now: Timestamp;
}

/** A head with its store, whose function leaves traces. */
class Subject {
  trace: string[] = [];
  readonly store: KeyedStore;
  readonly head: KeyedHead;
  readonly snapshot: KeyedSnapshot;
  watermark = MIN_TIMESTAMP;
  now = 0;
  /** By key group, of the snapshots so far. */
  mergers = new Map<number, SectionMerger>();
  private snapshots = new Map<number, readonly (readonly Uint8Array[])[]>();
  private sections: (readonly [group: number, bytes: Uint8Array])[] = [];
  private writer: SectionWriter | undefined;
  private frozenAt: { readonly watermark: Timestamp; readonly now: Timestamp } | undefined;
  /** From the last snapshot that is complete. */
  checkpoint: Checkpoint | undefined;
  private readonly cells;

  constructor(spec: KeyedSpec, disk?: EvictionFolder, options?: EvictingOptions) {
    const store = (this.store = new KeyedStore(spec, () => this.now));
    if (disk !== undefined) disk.attach(store, coders, options);
    this.snapshot = new KeyedSnapshot(store, coders, groups);
    this.cells = {
      value: store.value("value"),
      bag: store.bag("bag"),
      map: store.multimap("map"),
      list: store.orderedList("list"),
      event: store.timers("event"),
      processing: store.timers("processing"),
    };
    this.head = new KeyedHead(store, this.receive, { blocked: () => undefined, fire: (timer) => this.fire(timer) });
  }

  private readonly receive: Receiver = (element, { timestamp, windows }) => {
    const { key, value: n } = element as KV<string, number>;
    this.tell(`${key} ${String(windows[0])} gets ${n}`);
    this.change(key, windows[0], n, timestamp);
  };

  private fire({ family, tag, key, window, fireAt, outputAt }: FiredTimer): void {
    this.tell(`${String(key)} ${String(window)} ${family} ${tag} ${fireAt} ${outputAt}`);
    if (family !== "expired") this.change(key as string, window, fireAt % 97, fireAt);
  }

  private change(key: string, window: Window, n: number, timestamp: Timestamp): void {
    const { value, bag, map, list, event, processing } = this.cells;
    const tag = n % 3;
    // No two at one instant, of which nobody promises which one comes first.
    const own = Number(key.slice(4)) * 3 + tag;
    const eventAt = Math.floor(timestamp / 50) * 50 + 50 + own;
    const processingAt = Math.floor(this.now / 100) * 100 + ((window as IntervalWindow).start % 200 === 0 ? 50 : 100) + own;
    if (n % 2 === 0) value.write(((value.read() as number | undefined) ?? 0) + n);
    if (n % 5 === 0) bag.add(n);
    if (n % 7 === 0) map.add(`${tag}`, n);
    if (n % 3 === 0) list.add(n % 10, n);
    if (n % 13 === 1) for (const cell of [value, bag, map]) cell.clear();
    if (n % 13 === 2) list.clear(0, 100);
    if (n % 4 === 1) event.set(`${tag}`, eventAt, Math.min(timestamp, eventAt), true);
    if (n % 4 === 2) processing.set(`${tag}`, processingAt, timestamp, n % 8 === 2);
    if (n % 11 === 3) event.clear(`${tag}`);
    if (n % 11 === 4) processing.clear(`${tag}`);
    this.tell("then");
  }

  private tell(what: string): void {
    const { value, bag, map, list } = this.cells;
    const entries = [...map.keys()]
      .map((key) => `${key as string}: ${map.get(key).join()}`)
      .sort((a, b) => String(a).localeCompare(String(b)));
    const listed = list.read(-Infinity, Infinity).map((entry) => [entry.sortKey, entry.value]);
    this.trace.push(`${what}: ${JSON.stringify([value.read(), bag.read(), entries, listed])}`);
  }

  process(key: string, n: number, timestamp: Timestamp): void {
    this.head.process(kv(key, n), new ElementMeta(timestamp, [windowOf(timestamp)], NO_FIRING));
  }

  /** Does what is to be done; of expirations, whose order nobody promises, by their text. */
  advance(watermark: Timestamp, now: number): void {
    this.watermark = watermark;
    this.now = now;
    this.head.advance(watermark);
    if (this.head.deadline <= now) this.head.advanceTime(now);
    const from = this.trace.length;
    this.head.drain(() => false);
    const told = this.trace.splice(from);
    for (let i = 0; i < told.length;) {
      let end = i + 1;
      if (told[i].includes("expired")) while (end < told.length && told[end].includes("expired")) end++;
      this.trace.push(...told.slice(i, end).sort());
      i = end;
    }
  }

  freeze(): void {
    this.sections = [];
    this.writer = new SectionWriter((group, bytes) => this.sections.push([group, Uint8Array.from(bytes)]));
    this.frozenAt = { watermark: this.watermark, now: this.now };
    this.snapshot.freeze(this.writer);
  }

  write(records: number): void {
    if (this.writer === undefined || !this.snapshot.write(() => records-- <= 0)) return;
    this.writer.flush();
    this.writer = undefined;
    for (const merger of this.mergers.values()) merger.nextSnapshot();
    for (let group = 0; group < groups.count; group++) {
      const own = this.sections.flatMap(([of, bytes]) => (of === group ? [bytes] : []));
      this.snapshots.set(group, [...(this.snapshots.get(group) ?? []), own]);
    }
    for (const [group, bytes] of this.sections) {
      let merger = this.mergers.get(group);
      if (merger === undefined) this.mergers.set(group, (merger = new SectionMerger()));
      merger.add(bytes);
    }
    this.checkpoint = { mergers: this.mergers, snapshots: new Map(this.snapshots), ...this.frozenAt! };
  }

  /** What is in the checkpoints so far, by id, each with its cells as they are written; timers of one record are in no order. */
  get written(): StateRecord[] {
    return [...this.mergers].flatMap(([, merger]) => [...merger.result]).sort(byId);
  }

  /** @param order of the records of each key group: timers of one instant fire as they were set, in whatever order that is */
  restoreFrom(
    { mergers, snapshots, watermark, now }: Checkpoint,
    settles: boolean,
    order: (group: number) => readonly string[],
    stored: (bytes: readonly Uint8Array[]) => readonly StoredSection[] = inMemory,
  ): void {
    const inOrder = [...mergers].sort(([a], [b]) => a - b);
    for (const [group, merger] of inOrder)
      if (this.store.evicted === undefined) {
        const ids = order(group);
        const inOrder = [...merger.result].sort((a, b) => ids.indexOf(textOf(a.id)) - ids.indexOf(textOf(b.id)));
        this.snapshot.restore(inOrder, watermark);
      } else this.snapshot.restoreSections(snapshots.get(group)!.map(stored), watermark);
    if (settles) {
      this.mergers = new Map(mergers);
      this.snapshots = new Map(snapshots);
      this.snapshot.settle();
    }
    this.watermark = watermark;
    this.now = now;
    this.head.advance(watermark);
    if (this.head.deadline <= now) this.head.advanceTime(now);
  }
}

const inMemory = (sections: readonly Uint8Array[]): readonly StoredSection[] => sections.map((bytes) => ({ bytes }));
const textOf = (id: Uint8Array): string => Buffer.from(id).toString("latin1");
const byId = (a: StateRecord, b: StateRecord): number => (textOf(a.id) < textOf(b.id) ? -1 : 1);

/** In the order in which the part is told of them. */
function idsOf(snapshots: readonly (readonly Uint8Array[])[]): readonly string[] {
  const ids: string[] = [];
  newestFirst(snapshots.map(inMemory), ({ bytes }, _start, id, idEnd) => ids.push(textOf(bytes.subarray(id, idEnd))));
  return ids;
}

type Step =
  | { readonly kind: "element"; readonly key: string; readonly n: number; readonly late: number }
  | { readonly kind: "commit" | "rollback" | "freeze" | "squeeze" }
  | { readonly kind: "advance"; readonly byMs: number; readonly now: number }
  | { readonly kind: "write"; readonly records: number }
  | {
      readonly kind: "restore";
      readonly settles: boolean;
      /** Whether sections lie in files, which are deleted then; such as are left there count as settled. */
      readonly isStored: boolean;
      /** Bytes that the disk takes meanwhile. */
      readonly room: number;
    };

const keys = Array.from({ length: 12 }, (_, i) => `key ${i}`);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      kind: fc.constant("element" as const),
      key: fc.constantFrom(...keys),
      n: fc.nat(200),
      late: fc.integer({ min: -90, max: 20 }),
    }),
  },
  { weight: 8, arbitrary: fc.constant({ kind: "commit" as const }) },
  { weight: 3, arbitrary: fc.constantFrom({ kind: "rollback" as const }, { kind: "squeeze" as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: "freeze" as const }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("advance" as const), byMs: fc.nat(40), now: fc.nat(30) }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("write" as const), records: fc.constantFrom(0, 1, 2, 5, 1000) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("restore" as const),
      settles: fc.boolean(),
      isStored: fc.boolean(),
      room: fc.constantFrom(Infinity, 0, 100, 1000),
    }),
  },
);

describe("state that is on disk", () => {
  let disk: EvictionFolder;
  before(() => (disk = new EvictionFolder()));
  after(() => disk.remove());

  for (const expirationFamily of [undefined, "expired"])
    for (const isTimeSorted of [false, true])
      it(`is as if it were in memory${isTimeSorted ? ", where elements wait for their time" : ""}${expirationFamily === undefined ? "" : ", and expirations are told"}`, () => {
        const spec = specOf(expirationFamily, isTimeSorted);
        const limit = fc.constantFrom(1, 3000, 9000);
        const segment = fc.constantFrom(64, 512, 4096);
        const steps = fc.array(step, { maxLength: 150, size: "max" });
        fc.assert(
          fc.property(limit, segment, steps, (limitBytes, segmentBytes, taken) => {
            const options = { limitBytes, segmentBytes };
            let both = [new Subject(spec), new Subject(spec, disk, options)] as const;
            const agree = (when: string): void => {
              const [heap, evicting] = both;
              assert.deepEqual(evicting.trace, heap.trace, when);
              assert.equal(evicting.head.hold(), heap.head.hold(), `hold, ${when}`);
              assert.equal(evicting.head.deadline, heap.head.deadline, `deadline, ${when}`);
              assert.deepEqual(evicting.store.size, heap.store.size, when);
              for (const subject of both) subject.trace = [];
            };
            const commit = (): void => both.forEach(({ head }) => head.committed());
            let watermark = 0;
            let now = 0;
            const take = (each: Step): void => {
              switch (each.kind) {
                case "element":
                  return both.forEach((subject) => subject.process(each.key, each.n, Math.max(0, watermark - each.late)));
                case "commit":
                  return commit();
                case "rollback":
                  return both.forEach((subject) => {
                    subject.head.rolledBack();
                    subject.advance(watermark, now); // what was taken back is done again
                  });
                case "squeeze":
                  return both[1].store.evicted!.spill();
                case "advance":
                  watermark += each.byMs;
                  now += each.now;
                  return both.forEach((subject) => subject.advance(watermark, now));
                case "freeze":
                  commit();
                  return both.forEach((subject) => {
                    subject.write(Infinity); // one may be through when the other is not
                    subject.freeze();
                  });
                case "write":
                  return both.forEach((subject) => subject.write(each.records));
                case "restore": {
                  if (both.some(({ checkpoint }) => checkpoint === undefined)) return;
                  // They have written as much when they are through.
                  both.forEach((subject) => subject.write(Infinity));
                  const ids = both.map(({ written }) => written.map(({ id }) => textOf(id)));
                  assert.deepEqual(ids[1], ids[0]);
                  agree("before a restore");
                  const [heap, evicting] = both.map(({ checkpoint }) => checkpoint!);
                  both = [new Subject(spec), new Subject(spec, disk, options)];
                  const order = (group: number): readonly string[] => idsOf(evicting.snapshots.get(group)!);
                  const { isStored, room } = each;
                  const settles = each.settles || isStored;
                  both[0].restoreFrom(heap, settles, order);
                  disk.folder.narrowed(room, () =>
                    both[1].restoreFrom(evicting, settles, order, isStored ? (sections) => disk.store(sections) : undefined),
                  );
                  disk.forgetStored();
                  ({ watermark, now } = heap);
                  watermark = Math.max(0, watermark);
                  return both.forEach((subject) => subject.advance(watermark, now));
                }
              }
            };
            for (const [i, each] of taken.entries()) {
              take(each);
              agree(`step ${i}: ${JSON.stringify(each)}`);
            }
            commit();
            for (const key of keys) for (let n = 0; n < 3; n++) both.forEach((subject) => subject.process(key, 3 + n * 7, watermark));
            agree("in the end");
            commit();
            for (const byMs of [10, 50, 200, 1000]) {
              both.forEach((subject) => subject.advance(watermark + byMs, now + byMs));
              commit();
              agree(`${byMs} ms later`);
            }
            assert.deepEqual(both[1].store.size, { windows: 0, records: 0 });
            assert.equal(both[1].store.pendingTimers.size, both[0].store.pendingTimers.size);
            disk.clear();
          }),
          { numRuns: 150 },
        );
      });

  it("is told of when its window expires, once, in however many bundles, of which some fail", () => {
    const subject = new Subject(specOf("expired", false), disk);
    const count = 500;
    for (let i = 0; i < count; i++) subject.process(`key ${i}`, 12, 50);
    subject.head.committed();
    subject.head.advance(1000);
    const committed: string[] = [];
    for (let bundle = 0; subject.head.draining; bundle++) {
      let steps = 7;
      subject.trace = [];
      subject.head.drain(() => steps-- <= 0);
      if (bundle % 5 === 2) {
        subject.head.rolledBack();
        continue;
      }
      subject.head.committed();
      committed.push(...subject.trace);
    }
    assert.equal(committed.length, count);
    assert.equal(new Set(committed).size, count);
    assert.deepEqual(subject.store.size, { windows: 0, records: 0 });
    disk.clear();
  });

  it("is in snapshots as far as it is left to be told of", () => {
    for (const where of [undefined, disk]) {
      const subject = new Subject(specOf("expired", false), where);
      for (let i = 0; i < 100; i++) subject.process(`key ${i}`, 12, 50);
      subject.head.committed();
      subject.head.advance(1000);
      let steps = 30;
      subject.head.drain(() => steps-- <= 0);
      subject.head.committed();
      subject.freeze();
      subject.write(Infinity);
      assert.equal(subject.written.length, 70);
    }
    disk.clear();
  });

  it("leaves memory as much as it is given, and the disk twice as much as there is, whatever comes and goes", () => {
    const subject = new Subject(specOf(undefined, false), disk, { limitBytes: 300_000, segmentBytes: 1 << 16 });
    const { store } = subject;
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 5000; i++) {
        subject.process(`key ${(i * 7919 + round) % 5000}`, 8, 50);
        if (i % 500 === 499) subject.head.committed();
      }
      subject.trace = [];
      assert.ok(store.evicted!.heldBytes <= 300_000, `${store.evicted!.heldBytes} bytes are held`);
      assert.ok(store.evicted!.diskBytes < 5000 * 64 * 2 + 4 * (1 << 16), `${store.evicted!.diskBytes} bytes are on disk`);
    }
    assert.equal(store.size.records, 5000);
    disk.clear();
    assert.deepEqual(readdirSync(disk.parent), []);
  });
});
