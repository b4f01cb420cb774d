/** True exactly for identical types: `any`, optional and readonly members count as different. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles for `true` only: `expectType<Equal<typeof x, number>>(true)`. */
export function expectType<Check extends true>(check: Check): void {
  void check;
}
