// What pipelines mean, on plain arrays: slow, obvious, and with nothing of the SDK or the runner in it.

/** `[start, end)`; the global window is [-Infinity, Infinity). */
export type Span = readonly [start: number, end: number];

export interface Item<T> {
  readonly value: T;
  readonly timestamp: number;
  readonly windows: readonly Span[];
}

export type WindowKind =
  | { readonly kind: "global" }
  | { readonly kind: "fixed"; readonly size: number }
  | { readonly kind: "sliding"; readonly size: number; readonly every: number }
  | { readonly kind: "sessions"; readonly gap: number };

const GLOBAL: Span = [-Infinity, Infinity];
export const items = <T>(values: readonly T[]): Item<T>[] => values.map((value) => ({ value, timestamp: -Infinity, windows: [GLOBAL] }));

export function flatMapItems<T, R>(input: readonly Item<T>[], fn: (value: T) => readonly R[]): Item<R>[] {
  return input.flatMap(({ value, timestamp, windows }) => fn(value).map((result) => ({ value: result, timestamp, windows })));
}

/** Each element once for each of its windows. */
export function perWindow<T>(input: readonly Item<T>[]): { readonly value: T; readonly timestamp: number; readonly window: Span }[] {
  return input.flatMap(({ value, timestamp, windows }) => windows.map((window) => ({ value, timestamp, window })));
}

export function stamp<T>(input: readonly Item<T>[], fn: (value: T) => number): Item<T>[] {
  return input.map((item) => ({ ...item, timestamp: fn(item.value) }));
}

export function assignWindows<T>(input: readonly Item<T>[], kind: WindowKind): Item<T>[] {
  return input.map((item) => ({ ...item, windows: spansOf(item.timestamp, kind) }));
}

function spansOf(timestamp: number, kind: WindowKind): Span[] {
  switch (kind.kind) {
    case "global":
      return [GLOBAL];
    case "fixed":
      return spansOf(timestamp, { kind: "sliding", size: kind.size, every: kind.size });
    case "sliding": {
      const spans: Span[] = [];
      for (let start = Math.floor(timestamp / kind.every) * kind.every; start + kind.size > timestamp; start -= kind.every)
        spans.push([start, start + kind.size]);
      return spans;
    }
    case "sessions":
      return [[timestamp, timestamp + kind.gap]];
  }
}

/** Groups by key and window; `merging` makes one window of those of a key that overlap. A group is at the end of its window. */
export function group<V>(input: readonly Item<readonly [key: number, value: V]>[], merging: boolean): Item<readonly [number, V[]]>[] {
  const cells = new Map<string, { readonly key: number; readonly window: Span; readonly values: V[] }>();
  for (const { key, window, value } of merging
    ? merged(input)
    : perWindow(input).map(({ value: [key, value], window }) => ({ key, window, value }))) {
    const id = `${key} ${window.join(" ")}`;
    const cell = cells.get(id) ?? { key, window, values: [] };
    cell.values.push(value);
    cells.set(id, cell);
  }
  return [...cells.values()].map(({ key, window, values }) => ({ value: [key, values], timestamp: window[1] - 1, windows: [window] }));
}

function merged<V>(input: readonly Item<readonly [key: number, value: V]>[]): { key: number; window: Span; value: V }[] {
  const all = perWindow(input)
    .map(({ value: [key, value], window }) => ({ key, window, value }))
    .sort((a, b) => a.key - b.key || a.window[0] - b.window[0]);
  let from = 0;
  for (let i = 0; i < all.length; i++) {
    const last = i + 1 === all.length || all[i + 1].key !== all[i].key;
    const end = Math.max(...all.slice(from, i + 1).map(({ window }) => window[1]));
    if (!last && all[i + 1].window[0] < end) continue;
    const window: Span = [all[from].window[0], end];
    for (let k = from; k <= i; k++) all[k].window = window;
    from = i + 1;
  }
  return all;
}

/** The elements with their timestamps and windows, in an order that does not depend on how they were computed. */
export function canonicalItems(input: readonly Item<unknown>[]): string[] {
  return perWindow(input)
    .map(({ value, window }) => `${JSON.stringify(value)} in [${window.join(", ")})`)
    .sort();
}
