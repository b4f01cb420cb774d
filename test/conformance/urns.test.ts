import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as urns from "../../portability/urns/index.js";

interface Facts {
  readonly enums: Record<string, Record<string, { urn?: string; constant?: string; label?: string }>>;
  readonly outsideTheProtos: { urn: string }[];
}

const facts = JSON.parse(readFileSync(new URL("./facts/urns.json", import.meta.url), "utf8")) as Facts;
const { BEAMSTORM, OUTSIDE_THE_PROTOS, ...groups } = urns;

describe("URN constants", () => {
  const known = new Map(
    Object.values(groups).flatMap((group) => Object.entries(group).map(([name, urn]) => [`${name} ${urn as string}`, urn])),
  );
  const stated = new Set(
    Object.values(facts.enums).flatMap((values) =>
      Object.entries(values).map(([name, v]) => `${name} ${v.urn ?? v.constant ?? v.label ?? ""}`),
    ),
  );

  it("has a constant for everything that the facts name", () => {
    assert.deepEqual(
      [...stated].filter((fact) => !known.has(fact)),
      [],
    );
  });

  it("has no constant that the facts do not name", () => {
    assert.deepEqual(
      [...known.keys()].filter((name) => !stated.has(name)),
      [],
    );
  });

  it("has one group of constants for each enum", () => {
    assert.equal(Object.keys(groups).length, Object.keys(facts.enums).length);
  });

  it("lists what lies outside the messages, both ways", () => {
    assert.deepEqual(
      [...new Set(Object.values(OUTSIDE_THE_PROTOS))].sort(),
      [...new Set(facts.outsideTheProtos.map(({ urn }) => urn))].sort(),
    );
  });

  it("keeps our own apart from Beam's", () => {
    for (const urn of Object.values(BEAMSTORM)) assert.match(urn, /^beamstorm:/);
  });
});
