import { IntervalWindow, type Timestamp, type Window } from "../values/index.js";
import type { WindowFn } from "./window-fn.js";

/** What calendar windows are made of. */
export interface CalendarSpec {
  readonly unit: "day" | "week" | "month" | "year";
  /** Units in a window, from 1 on; counted from 1970 on. */
  readonly count: number;
  /** IANA name, such as "Europe/Berlin". */
  readonly timeZone: string;
  /** First day of a week, 1 for Monday to 7 for Sunday. */
  readonly firstWeekday: number;
  /** First day of a month, or of the month that a year begins with: 1 to 28. */
  readonly firstDay: number;
  /** First month of a year, 1 to 12. */
  readonly firstMonth: number;
}

const DAY_MS = 86_400_000;
/** Days from 1970-01-01 of what a Date can hold, less a year on each side. */
const MAX_DAY = 100_000_000 - 366;

/** A day of the calendar, by its number from 1970-01-01 on. */
type Day = number;

/**
 * Windows of days, weeks, months or years of the calendar of a time zone: as long as these are there, summer time and leap days included.
 * Timestamps beyond what a Date can hold are in the first or the last window.
 *
 * @example
 * ```ts
 * const months = new CalendarWindows({ unit: "month", count: 1, timeZone: "UTC", firstWeekday: 1, firstDay: 1, firstMonth: 1 });
 * const [february] = months.assign(Date.UTC(2024, 1, 29));
 * ```
 */
export class CalendarWindows implements WindowFn {
  readonly urn = "beamstorm:windowfn:calendar:v1";
  readonly merging = false;
  private readonly format: Intl.DateTimeFormat;
  // The window of the last timestamp: neighbours mostly share it.
  private lastStart = NaN;
  private lastEnd = NaN;
  private last: readonly Window[] = [];

  /** @throws RangeError for a time zone that is not known, or numbers out of range */
  constructor(readonly spec: CalendarSpec) {
    const check = (what: string, n: number, least: number, most: number): void => {
      if (!(Number.isInteger(n) && n >= least && n <= most))
        throw new RangeError(`${what} is a whole number from ${least} to ${most}, not ${n}`);
    };
    check("the number of units in a calendar window", spec.count, 1, 10_000);
    check("the first day of a week", spec.firstWeekday, 1, 7);
    check("the first day of a month", spec.firstDay, 1, 28);
    check("the first month of a year", spec.firstMonth, 1, 12);
    this.format = new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", {
      timeZone: spec.timeZone,
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
    });
  }

  assign(timestamp: Timestamp): readonly Window[] {
    if (timestamp >= this.lastStart && timestamp < this.lastEnd) return this.last;
    const limited = Math.max(-MAX_DAY * DAY_MS, Math.min(MAX_DAY * DAY_MS, timestamp));
    const [first, next] = this.daysAround(this.dayOf(limited));
    this.lastStart = this.startOf(first);
    this.lastEnd = this.startOf(next);
    this.last = [new IntervalWindow(this.lastStart, this.lastEnd)];
    return this.last;
  }

  /** What tells it from others; not the window it remembers. */
  toJSON(): object {
    return { urn: this.urn, spec: this.spec };
  }

  /** The first day of the window that holds a day, and that of the next window. */
  private daysAround(day: Day): readonly [Day, Day] {
    const { unit, count, firstWeekday, firstDay, firstMonth } = this.spec;
    const inSteps = (n: number): number => Math.floor(n / count) * count;
    switch (unit) {
      case "day":
        return [inSteps(day), inSteps(day) + count];
      case "week": {
        // 1970-01-01 was a Thursday, the fourth day.
        const origin = firstWeekday - 4;
        const week = inSteps(Math.floor((day - origin) / 7));
        return [origin + week * 7, origin + (week + count) * 7];
      }
      case "month": {
        const month = inSteps(monthOf(day, firstDay));
        return [firstDayOf(month, firstDay), firstDayOf(month + count, firstDay)];
      }
      case "year": {
        const shift = firstMonth - 1;
        const year = inSteps(Math.floor((monthOf(day, firstDay) - shift) / 12));
        return [firstDayOf(year * 12 + shift, firstDay), firstDayOf((year + count) * 12 + shift, firstDay)];
      }
    }
  }

  /** The day that an instant is in there. */
  private dayOf(timestamp: Timestamp): Day {
    let year = 0;
    let month = 0;
    let date = 0;
    let isBefore = false;
    for (const { type, value } of this.format.formatToParts(timestamp)) {
      if (type === "year") year = Number(value);
      else if (type === "month") month = Number(value);
      else if (type === "day") date = Number(value);
      else if (type === "era") isBefore = value.startsWith("B");
    }
    const utc = new Date(0);
    utc.setUTCFullYear(isBefore ? 1 - year : year, month - 1, date);
    return utc.getTime() / DAY_MS;
  }

  /** The first instant of a day there: midnight, or what comes instead where clocks are set forward at midnight. */
  private startOf(day: Day): Timestamp {
    let before = day * DAY_MS - DAY_MS;
    let at = day * DAY_MS + DAY_MS;
    while (at - before > 1) {
      const middle = Math.floor((before + at) / 2);
      if (this.dayOf(middle) < day) before = middle;
      else at = middle;
    }
    return at;
  }
}

/** The number of the month, counted from January 1970 on, of months that begin with `firstDay`. */
function monthOf(day: Day, firstDay: number): number {
  const date = new Date((day - (firstDay - 1)) * DAY_MS);
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
}

function firstDayOf(month: number, firstDay: number): Day {
  const date = new Date(0);
  date.setUTCFullYear(1970, month, firstDay);
  return date.getTime() / DAY_MS;
}
