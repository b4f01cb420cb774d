// Snapshots of a part, merged in whatever way, against a plain map that takes them in order. Catches records that are lost, come back,
// or have payloads of one that was dropped, and merged snapshots that mean something else than those they were made of.
import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteReader, CoderError } from "../../../portability/coders/index.js";
import { SectionMerger, SectionWriter, type StateRecord } from "../../../runner/snapshot/index.js";

/** What one snapshot says of a record. */
type Said =
  | { readonly kind: "append"; readonly payloads: readonly number[] }
  | { readonly kind: "put"; readonly payload: number; readonly more: readonly number[]; readonly gone: "no" | "before" | "behind" }
  | { readonly kind: "delete" };

const number = fc.integer({ min: 0, max: 999 });
const said: fc.Arbitrary<Said> = fc.oneof(
  fc.record({ kind: fc.constant("append" as const), payloads: fc.array(number, { minLength: 1, maxLength: 3 }) }),
  fc.record({
    kind: fc.constant("put" as const),
    payload: number,
    more: fc.array(number, { maxLength: 2 }),
    gone: fc.constantFrom("no" as const, "before" as const, "behind" as const),
  }),
  fc.constant({ kind: "delete" as const }),
);
/** By id. */
const snapshot = fc.dictionary(fc.constantFrom("a", "b", "", "äöü"), said);
type Snapshot = Record<string, Said>;

const GROUP = 5;

/** Sections, cut at random places. */
function sectionsOf(snapshots: (writer: SectionWriter) => void): Uint8Array[] {
  const sections: Uint8Array[] = [];
  const writer = new SectionWriter((group, bytes) => {
    assert.equal(group, GROUP);
    sections.push(Uint8Array.from(bytes));
  });
  snapshots(writer);
  writer.flush();
  return sections;
}

function writeSnapshot(snapshot: Snapshot, writer: SectionWriter): void {
  const idTo = (to: ReturnType<SectionWriter["beginPut"]>, id: string): void => to.writeBytes(Buffer.from(id));
  for (const [id, what] of Object.entries(snapshot)) {
    const one = (to: ReturnType<SectionWriter["beginPut"]>, payload: number): void => {
      idTo(to, id);
      writer.beginPayload();
      to.writeVarint(payload);
      writer.end();
    };
    const gone = (): void => {
      idTo(writer.beginDelete(GROUP), id);
      writer.end();
    };
    if (what.kind === "delete") gone();
    else if (what.kind === "append") for (const payload of what.payloads) one(writer.beginAppend(GROUP), payload);
    else {
      if (what.gone === "before") gone();
      one(writer.beginPut(GROUP), what.payload);
      for (const payload of what.more) one(writer.beginAppend(GROUP), payload);
      if (what.gone === "behind") gone();
    }
    if (what.kind !== "delete") writer.flush(); // a section may end anywhere
  }
}

function apply(state: Map<string, number[]>, snapshot: Snapshot): void {
  for (const [id, what] of Object.entries(snapshot))
    if (what.kind === "delete") state.delete(id);
    else if (what.kind === "append") state.set(id, [...(state.get(id) ?? []), ...what.payloads]);
    else state.set(id, [what.payload, ...what.more]);
}

const recordsOf = (records: Iterable<StateRecord>): unknown =>
  [...records]
    .map(({ id, payloads }) => [Buffer.from(id).toString(), payloads.map((payload) => new ByteReader(payload).readVarint())] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));

describe("snapshots of a part", () => {
  it("give the same records merged one by one, and with runs of them merged and written again", () => {
    fc.assert(
      fc.property(
        fc.array(snapshot, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 8, maxLength: 8 }),
        (all, runs) => {
          const expected = new Map<string, number[]>();
          for (const each of all) apply(expected, each);
          const sections = all.map((each) => sectionsOf((writer) => writeSnapshot(each, writer)));
          const merged = (snapshots: readonly Uint8Array[][], isBase = true): SectionMerger => {
            const merger = new SectionMerger(isBase);
            for (const each of snapshots) {
              merger.nextSnapshot();
              for (const section of each) merger.add(section);
            }
            return merger;
          };
          assert.deepEqual(recordsOf(merged(sections).result), recordsOf2(expected));
          const again: Uint8Array[][] = [];
          for (let at = 0, run = 0; at < sections.length; at += runs[run++])
            again.push(sectionsOf((writer) => merged(sections.slice(at, at + runs[run]), at === 0).write(GROUP, writer)));
          assert.deepEqual(recordsOf(merged(again).result), recordsOf2(expected));
          // And once more, of what was merged already.
          const twice =
            again.length < 2 ? again : [sectionsOf((writer) => merged(again.slice(0, 2)).write(GROUP, writer)), ...again.slice(2)];
          assert.deepEqual(recordsOf(merged(twice).result), recordsOf2(expected));
        },
      ),
      { numRuns: 1000 },
    );
  });

  const recordsOf2 = (state: ReadonlyMap<string, readonly number[]>): unknown => [...state].sort(([a], [b]) => (a < b ? -1 : 1));

  it("fail by a CoderError where they are random bytes, or hold what they say", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const merger = new SectionMerger();
        try {
          merger.add(bytes);
        } catch (error) {
          assert.ok(error instanceof CoderError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
