/**
 * A step of a pipeline: turns PCollections into PCollections when it is applied.
 *
 * @typeParam In what it is applied to: a `Pipeline` (a source), a `PCollection`, or an object or array of them.
 * @typeParam Out what `apply` returns.
 */
export interface PTransform<In, Out> {
  /** The author's name, unique among its siblings; undefined to derive one. */
  readonly name?: string;
  /** What an unnamed transform is called, e.g. `map`; a number is added to repeated ones. */
  readonly defaultName: string;
  /** Builds the transform out of others. Called once for each `apply`. */
  readonly expand: (input: In) => Out;
}

/** What `apply` takes: a transform, or a plain function from input to output, which is a composite. */
export type Appliable<In, Out> = PTransform<In, Out> | ((input: In) => Out);

/** Splits the optional leading name off a transform's arguments. */
export function named<A extends unknown[]>(args: [string, ...A] | A): { name: string | undefined; rest: A } {
  if (typeof args[0] === "string") return { name: args[0], rest: args.slice(1) as unknown as A };
  return { name: undefined, rest: args as A };
}

/**
 * A named composite from a function.
 *
 * @example
 * ```ts
 * const shout = composite("shout", (lines: PCollection<string>) => lines.apply(map((line) => line.toUpperCase())));
 * ```
 */
export function composite<In, Out>(name: string, expand: (input: In) => Out): PTransform<In, Out> {
  return { name, defaultName: name, expand };
}
