import assert from "node:assert/strict";
import fc from "fast-check";
import type { IntervalWindow } from "../../../../portability/values/index.js";
import { windowFnFromProto, windowFnToProto } from "../../../../portability/payloads/window-fns.js";
import type { CalendarWindows, WindowFn } from "../../../../portability/windows/index.js";
import { calendarDays, calendarMonths, calendarWeeks, calendarYears } from "../../../../sdk/index.js";

const boundsOf = (windowFn: WindowFn, at: string): string[] => {
  const [{ start, end }] = windowFn.assign(Date.parse(at)) as IntervalWindow[];
  return [new Date(start).toISOString(), new Date(end).toISOString()];
};

const HOUR = 3_600_000;

describe("calendar windows", () => {
  for (const [what, windowFn, at, start, end] of [
    ["a day", calendarDays(), "2024-02-29T12:00:00Z", "2024-02-29T00:00:00.000Z", "2024-03-01T00:00:00.000Z"],
    [
      "a day of 23 hours",
      calendarDays(1, { timeZone: "Europe/Berlin" }),
      "2024-03-31T12:00:00Z",
      "2024-03-30T23:00:00.000Z",
      "2024-03-31T22:00:00.000Z",
    ],
    [
      "a day of 25 hours",
      calendarDays(1, { timeZone: "America/New_York" }),
      "2024-11-03T12:00:00Z",
      "2024-11-03T04:00:00.000Z",
      "2024-11-04T05:00:00.000Z",
    ],
    // Clocks there went from 23:59:59 to 01:00 that night: the day begins at one.
    [
      "a day without midnight",
      calendarDays(1, { timeZone: "America/Sao_Paulo" }),
      "2018-11-04T12:00:00Z",
      "2018-11-04T03:00:00.000Z",
      "2018-11-05T02:00:00.000Z",
    ],
    // Samoa went over the date line: there was no 30 December 2011.
    [
      "the day before one that is missing",
      calendarDays(1, { timeZone: "Pacific/Apia" }),
      "2011-12-30T00:00:00Z",
      "2011-12-29T10:00:00.000Z",
      "2011-12-30T10:00:00.000Z",
    ],
    ["the week's first day, a Monday", calendarWeeks(), "2024-07-22T00:00:00Z", "2024-07-22T00:00:00.000Z", "2024-07-29T00:00:00.000Z"],
    [
      "a week from Sunday on",
      calendarWeeks(1, { startsOn: 7 }),
      "2024-07-27T23:59:59Z",
      "2024-07-21T00:00:00.000Z",
      "2024-07-28T00:00:00.000Z",
    ],
    ["a leap February", calendarMonths(), "2024-02-29T23:59:59.999Z", "2024-02-01T00:00:00.000Z", "2024-03-01T00:00:00.000Z"],
    ["a quarter", calendarMonths(3), "2023-05-31T00:00:00Z", "2023-04-01T00:00:00.000Z", "2023-07-01T00:00:00.000Z"],
    [
      "a month from its 25th day on",
      calendarMonths(1, { startsOn: 25 }),
      "2024-01-03T00:00:00Z",
      "2023-12-25T00:00:00.000Z",
      "2024-01-25T00:00:00.000Z",
    ],
    ["a year", calendarYears(), "1969-06-01T00:00:00Z", "1969-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z"],
    [
      "a fiscal year",
      calendarYears(1, { startsIn: 4, timeZone: "Asia/Tokyo" }),
      "2024-03-31T14:59:59Z",
      "2023-03-31T15:00:00.000Z",
      "2024-03-31T15:00:00.000Z",
    ],
    [
      "ten years before our era",
      calendarYears(10),
      "-000043-03-15T12:00:00Z",
      "-000050-01-01T00:00:00.000Z",
      "-000040-01-01T00:00:00.000Z",
    ],
  ] as const)
    it(`are as long as the calendar says: ${what}`, () => assert.deepEqual(boundsOf(windowFn, at), [start, end]));

  const zones = fc.constantFrom("UTC", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca");
  const calendars = fc.tuple(
    fc.constantFrom(calendarDays, calendarWeeks, calendarMonths, calendarYears),
    fc.integer({ min: 1, max: 13 }),
    zones,
  );
  const instants = fc.integer({ min: Date.UTC(1920, 0), max: Date.UTC(2060, 0) });

  it("hold their timestamp, and follow one another without a gap", () => {
    fc.assert(
      fc.property(calendars, instants, ([calendar, count, timeZone], at) => {
        const windowFn = calendar(count, { timeZone });
        const [{ start, end }] = windowFn.assign(at) as IntervalWindow[];
        assert.ok(start <= at && at < end);
        assert.equal((windowFn.assign(end) as IntervalWindow[])[0].start, end);
        assert.equal((windowFn.assign(start - 1) as IntervalWindow[])[0].end, start);
        assert.ok(end - start >= 22 * HOUR);
      }),
      { numRuns: 60 },
    );
  });

  it("come through their payload unchanged", () => {
    const [windowFn] = [calendarYears(2, { startsIn: 4, startsOn: 6, timeZone: "Asia/Tokyo" })];
    assert.deepEqual((windowFnFromProto(windowFnToProto(windowFn)) as CalendarWindows).spec, (windowFn as CalendarWindows).spec);
  });

  it("are there for every timestamp, in a last window beyond what a calendar holds", () => {
    for (const at of [-9_223_372_036_854, 9_223_372_036_854]) assert.equal(calendarMonths().assign(at).length, 1);
  });

  it("refuse what is no calendar", () => {
    assert.throws(() => calendarDays(0), /number of units .* from 1 to 10000, not 0/);
    assert.throws(() => calendarMonths(1, { startsOn: 29 }), /first day of a month .* from 1 to 28, not 29/);
    assert.throws(() => calendarYears(1, { startsIn: 13 }), /first month of a year .* from 1 to 12, not 13/);
    assert.throws(() => calendarDays(1, { timeZone: "Europe/Nowhere" }), RangeError);
  });

  it("refuse a payload that is none of theirs", () => {
    for (const text of ["", "{}", '{"unit":"day"}', "null", "[1]"])
      assert.throws(
        () => windowFnFromProto({ urn: "beamstorm:windowfn:calendar:v1", payload: new TextEncoder().encode(text) }),
        /calendar/,
        text,
      );
  });
});
