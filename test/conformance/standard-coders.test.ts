// Beam's own vectors, all of them: each document's coder is built by the registry, then every example is decoded and, where
// the coder is deterministic, encoded.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import {
  ByteReader,
  ByteWriter,
  CoderRegistry,
  stateBackedIterableCoder,
  type Coder,
  type CoderProto,
  type StateBackedRest,
} from "../../portability/coders/index.js";
import { GLOBAL_WINDOWS, IntervalWindow, PaneTiming, type ElementMeta, type Window } from "../../portability/values/index.js";

interface CoderSpec {
  readonly urn: string;
  readonly payload?: string;
  readonly components?: readonly CoderSpec[];
  readonly non_deterministic?: boolean;
  readonly state?: Readonly<Record<string, string>>;
}
interface Section {
  readonly coder: CoderSpec;
  readonly nested?: boolean;
  readonly examples: Readonly<Record<string, unknown>>;
}

const text = readFileSync(new URL("./facts/standard-coders.yaml", import.meta.url), "utf8");
const sections = parseAllDocuments(text, { intAsBigInt: true, uniqueKeys: false })
  .map((document) => document.toJS({ mapAsMap: false, maxAliasCount: -1 }) as Section | null)
  .filter((section): section is Section => section !== null);

const bytesOf = (latin1: string): Uint8Array => Buffer.from(latin1, "latin1");

/** The coder of a specification; state-backed iterables read what the document gives as state. */
function build(spec: CoderSpec): Coder<unknown> {
  if (spec.urn === "beam:coder:state_backed_iterable:v1" && spec.state !== undefined) {
    const { state } = spec;
    const rest: StateBackedRest = (inline, token, element) => {
      const reader = new ByteReader(bytesOf(state[Buffer.from(token).toString("latin1")] ?? ""));
      while (reader.remaining > 0) inline.push(element.decode(reader, true));
      return inline;
    };
    return stateBackedIterableCoder(build((spec.components ?? [])[0]), rest) as Coder<unknown>;
  }
  const coders: Record<string, CoderProto> = {};
  const add = (each: CoderSpec): string => {
    const id = `c${Object.keys(coders).length}`;
    coders[id] = {};
    const componentCoderIds = (each.components ?? []).map(add);
    coders[id] = { spec: { urn: each.urn, payload: bytesOf(each.payload ?? "") }, componentCoderIds };
    return id;
  };
  return new CoderRegistry().fromProto(add(spec), coders);
}

/** Our value in the terms of the file, by the shape that the file's value has. */
function toFile(value: unknown, spec: CoderSpec): unknown {
  switch (spec.urn) {
    case "beam:coder:bytes:v1":
      return Buffer.from(value as Uint8Array).toString("latin1");
    case "beam:coder:varint:v1":
      return BigInt(value as number);
    case "beam:coder:double:v1":
      return value;
    case "beam:coder:kv:v1": {
      const { key, value: inner } = value as { key: unknown; value: unknown };
      const [keySpec, valueSpec] = spec.components ?? [];
      return { key: toFile(key, keySpec), value: toFile(inner, valueSpec) };
    }
    case "beam:coder:iterable:v1":
    case "beam:coder:state_backed_iterable:v1":
      return [...(value as Iterable<unknown>)].map((item) => toFile(item, (spec.components ?? [])[0]));
    case "beam:coder:nullable:v1":
      return value === null ? null : toFile(value, (spec.components ?? [])[0]);
    case "beam:coder:interval_window:v1":
      return windowToFile(value as Window);
    case "beam:coder:global_window:v1":
      return "";
    case "beam:coder:custom_window:v1":
      return { window: windowToFile(value as Window) };
    case "beam:coder:windowed_value:v1":
    case "beam:coder:param_windowed_value:v1": {
      const { value: inner, meta } = value as { value: unknown; meta: ElementMeta };
      return {
        value: toFile(inner, (spec.components ?? [])[0]),
        timestamp: exact(meta.timestamp),
        pane: paneToFile(meta.pane),
        windows: windowsToFile(meta.windows),
      };
    }
    case "beam:coder:timer:v1": {
      const timer = value as Record<string, never>;
      const common = {
        userKey: toFile(timer.key, (spec.components ?? [])[0]),
        dynamicTimerTag: timer.tag,
        windows: windowsToFile(timer.windows),
        clearBit: timer.cleared,
      };
      return timer.cleared
        ? common
        : { ...common, fireTimestamp: exact(timer.fireTimestamp), holdTimestamp: exact(timer.holdTimestamp), pane: paneToFile(timer.pane) };
    }
    case "beam:coder:sharded_key:v1": {
      const { shardId, key } = value as { shardId: Uint8Array; key: unknown };
      return { shardId: Buffer.from(shardId).toString("latin1"), key: toFile(key, (spec.components ?? [])[0]) };
    }
    default:
      return value;
  }
}

const exact = (n: number): bigint => (Math.abs(n) === 9223372036854776 ? BigInt(Math.sign(n)) * 9223372036854775n : BigInt(n));
const windowToFile = (w: Window): unknown =>
  w instanceof IntervalWindow ? { end: exact(w.end), span: exact(w.end) - exact(w.start) } : "global";
const windowsToFile = (windows: readonly Window[]): unknown => (windows === GLOBAL_WINDOWS ? ["global"] : windows.map(windowToFile));
function paneToFile(pane: ElementMeta["pane"]): unknown {
  const timing = Object.entries(PaneTiming).find(([, n]) => n === pane.timing)?.[0];
  return {
    is_first: pane.isFirst,
    is_last: pane.isLast,
    timing,
    index: BigInt(pane.index),
    on_time_index: BigInt(pane.nonSpeculativeIndex),
  };
}

/** A row of ours and one of the file, made comparable: numbers as text where the file has text, 64-bit values as they are. */
function sameRow(found: unknown, expected: unknown, path: string): void {
  if (typeof expected === "bigint") {
    if (typeof found === "number" && path.endsWith("f_timestamp"))
      assert.equal(BigInt(found) ^ (-1n << 63n), expected, path); // the file has the shifted instant
    else assert.equal(BigInt(found as number | bigint), expected, path);
  } else if (typeof expected === "string" && typeof found === "number")
    assert.ok(Math.abs(Number(expected) - found) <= Math.abs(found) * 1e-6, path);
  else if (found instanceof Uint8Array) assert.equal(Buffer.from(found).toString("latin1"), expected, path);
  else if (found instanceof Map) {
    const entries = Object.entries(expected as object);
    assert.deepEqual([...found.keys()].map(String).sort(), entries.map(([k]) => k).sort(), path);
    for (const [k, v] of entries) sameRow(found.get(k), v, `${path}.${k}`);
  } else if (Array.isArray(found)) found.forEach((item, i) => sameRow(item, (expected as unknown[])[i], `${path}[${i}]`));
  else if (isDecimal(found)) assert.equal(Number(found.unscaled) / 10 ** found.scale, Number(expected), path);
  else if (found !== null && typeof found === "object") {
    assert.deepEqual(Object.keys(found).sort(), Object.keys(expected as object).sort(), path);
    for (const [k, v] of Object.entries(found)) sameRow(v, (expected as Record<string, unknown>)[k], `${path}.${k}`);
  } else assert.deepEqual(found, expected, path);
}

const isDecimal = (value: unknown): value is { unscaled: bigint; scale: number } =>
  typeof value === "object" && value !== null && "unscaled" in value;

function same(found: unknown, expected: unknown, spec: CoderSpec): void {
  if (spec.urn === "beam:coder:row:v1") sameRow(found, expected, "row");
  else if (spec.urn === "beam:coder:double:v1") assert.ok(Object.is(found, Number(expected)) || String(found) === String(Number(expected)));
  else assert.deepEqual(toFile(found, spec), expected);
}

describe("Beam's standard coder vectors", () => {
  it("are all here: 45 documents with 124 examples", () => {
    assert.equal(sections.length, 45);
    assert.equal(
      sections.reduce((sum, { examples }) => sum + Object.keys(examples).length, 0),
      124,
    );
  });

  sections.forEach((section, number) => {
    const { coder: spec, nested, examples } = section;
    for (const context of nested === undefined ? [false, true] : [nested])
      it(`${number + 1}. ${spec.urn} ${(spec.components ?? []).map(({ urn }) => urn.split(":")[2]).join(", ")} (${context ? "nested" : "outermost"})`, () => {
        const coder = build(spec);
        for (const [key, expected] of Object.entries(examples)) {
          const bytes = bytesOf(key);
          const reader = new ByteReader(bytes);
          const value = coder.decode(reader, context);
          assert.equal(reader.remaining, 0, "bytes left over");
          same(value, expected, spec);
          if (spec.non_deterministic === true) continue;
          const writer = new ByteWriter();
          coder.encode(value, writer, context);
          assert.equal(Buffer.from(writer.view()).toString("hex"), Buffer.from(bytes).toString("hex"));
        }
      });
  });
});
