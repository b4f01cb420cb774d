// How many primes there are up to each of some numbers. The work of one number is divided, before it begins and while it is done: so one
// large number keeps all workers busy, and none of them keeps the others waiting.
//
//   npx beamstorm run examples/primes.ts --limits 100000,2000000 --workers 4
import { jsonLines, create, kv, map, offsetRange, option, pipeline, splittableParDo, sumPerKey } from "beamstorm";

/** Parts that a number is divided into before the work begins. */
const PARTS = 16;

function isPrime(n: number): boolean {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return n > 1;
}

const primes = splittableParDo("find primes", {
  restriction: (limit: number) => offsetRange(2, Math.max(2, limit + 1)),
  *split(limit, { start, end }) {
    const at = (part: number): number => start + Math.floor(((end - start) * part) / PARTS);
    for (let part = 0; part < PARTS; part++) yield offsetRange(at(part), at(part + 1));
  },
  *process(limit, { range }) {
    for (let n = range.start; range.tryClaim(n); n++) if (isPrime(n)) yield kv(limit, 1);
  },
});

export default pipeline({
  options: {
    limits: option.string({ default: "10,1000,200000", help: "numbers to count primes up to, with commas" }),
    output: option.string({ default: "out/primes.jsonl", help: "file to write" }),
  },
  build: (p, { limits, output }) =>
    p
      .apply(create(limits.split(",").map(Number)))
      .apply(primes)
      .apply(sumPerKey())
      .apply(map(({ key, value }) => ({ limit: key, primes: value })))
      .apply(jsonLines.write(output)),
});
