/** A number from 0 to `n` - 1. */
export type Pick = (n: number) => number;

/** Random numbers that are the same for the same seed (mulberry32). */
export function pickBy(seed: number): Pick {
  let state = seed | 0;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((((t ^ (t >>> 14)) >>> 0) / 4294967296) * n) | 0;
  };
}

/** A seed of its own for whatever has this name. */
export function seedOf(name: string, seed: number): number {
  let hash = seed | 0;
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0;
  return hash;
}
