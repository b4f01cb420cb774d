import { CalendarWindows, type WindowFn } from "../../portability/windows/index.js";

/** Options of calendar windows. */
export interface CalendarOptions {
  /** Whose calendar, by its IANA name, such as "Europe/Berlin"; default "UTC". */
  readonly timeZone?: string;
}

const FIRST = { timeZone: "UTC", firstWeekday: 1, firstDay: 1, firstMonth: 1 } as const;

/**
 * Windows of `count` days of a calendar, from midnight to midnight, however many hours that is.
 *
 * @throws RangeError for a time zone that is not known, or a count below 1
 * @example
 * ```ts
 * clicks.apply(windowInto(calendarDays(1, { timeZone: "Europe/Berlin" }))).apply(countGlobally());
 * ```
 */
export const calendarDays = (count = 1, options: CalendarOptions = {}): WindowFn =>
  new CalendarWindows({ ...FIRST, ...options, unit: "day", count });

/**
 * Windows of `count` weeks of a calendar.
 *
 * @param options `startsOn` is the first day of a week, 1 for Monday, which is the default, to 7 for Sunday
 * @example
 * ```ts
 * clicks.apply(windowInto(calendarWeeks(1, { startsOn: 7 }))).apply(countGlobally());
 * ```
 */
export const calendarWeeks = (count = 1, { startsOn = 1, ...options }: CalendarOptions & { readonly startsOn?: number } = {}): WindowFn =>
  new CalendarWindows({ ...FIRST, ...options, unit: "week", count, firstWeekday: startsOn });

/**
 * Windows of `count` months of a calendar.
 *
 * @param options `startsOn` is the first day of a month, 1 to 28; default 1
 * @example
 * ```ts
 * clicks.apply(windowInto(calendarMonths(3))).apply(countGlobally());
 * ```
 */
export const calendarMonths = (count = 1, { startsOn = 1, ...options }: CalendarOptions & { readonly startsOn?: number } = {}): WindowFn =>
  new CalendarWindows({ ...FIRST, ...options, unit: "month", count, firstDay: startsOn });

/**
 * Windows of `count` years of a calendar.
 *
 * @param options `startsIn` is the first month of a year, 1 to 12, and `startsOn` its first day, 1 to 28; both are 1 by default
 * @example
 * ```ts
 * clicks.apply(windowInto(calendarYears(1, { startsIn: 4, timeZone: "Asia/Tokyo" }))).apply(countGlobally());
 * ```
 */
export const calendarYears = (
  count = 1,
  { startsIn = 1, startsOn = 1, ...options }: CalendarOptions & { readonly startsIn?: number; readonly startsOn?: number } = {},
): WindowFn => new CalendarWindows({ ...FIRST, ...options, unit: "year", count, firstMonth: startsIn, firstDay: startsOn });
