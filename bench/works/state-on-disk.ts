import { create, filter, kv, parDo, pipeline, run, statefulParDo, value, type Emit, type KV } from "beamstorm";
import { local } from "beamstorm/local";
import { expectEqual, type Side, type Work } from "../work.js";

/** Sixteen bytes each, of a hundred-byte value: half a gigabyte of state in the heap, by the runner's own estimate. */
const KEYS = 1_000_000;
const VALUE_BYTES = 100;
/** What the state may take of it: a tenth. */
const MEMORY_BYTES = 56_000_000;
/** How skewed the keys are: in YCSB's default, as here, one in thirteen elements has the most frequent one of a million keys. */
const SKEW = 0.99;
const BLOCKS = 100;
const blocks = Array.from({ length: BLOCKS }, (_, block) => block);
const padding = "x".repeat(VALUE_BYTES - 8);

const keys = Array.from({ length: KEYS }, (_, i) => `customer${String(i).padStart(8, "0")}`);

const ZETA = zetaOf(KEYS);
const ALPHA = 1 / (1 - SKEW);
const ETA = (1 - (2 / KEYS) ** (1 - SKEW)) / (1 - zetaOf(2) / ZETA);

/** Ranks by Zipf's law (Gray et al., "Quickly Generating Billion-Record Synthetic Databases", SIGMOD 1994), dealt out to keys far from one another. */
class ZipfKeys {
  private seed: number;

  constructor(seed: number) {
    this.seed = seed | 0;
  }

  next(): string {
    const u = this.random();
    const uz = u * ZETA;
    const rank = uz < 1 ? 0 : uz < 1 + 0.5 ** SKEW ? 1 : Math.min(KEYS - 1, Math.floor(KEYS * (ETA * u - ETA + 1) ** ALPHA));
    return keys[(rank * 7919) % KEYS];
  }

  /** Mulberry32. */
  private random(): number {
    this.seed = (this.seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.seed ^ (this.seed >>> 15), 1 | this.seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
}

function zetaOf(n: number): number {
  let sum = 0;
  for (let i = 1; i <= n; i++) sum += 1 / i ** SKEW;
  return sum;
}

let size = 0;
let last = 0;
let seen = 0;

/** Every key once, then by Zipf's law. */
const definition = pipeline((p) =>
  p
    .apply(create(blocks))
    .apply(
      parDo("readings", {
        process(block: number, { emit }: { emit: Emit<KV<string, number>> }) {
          for (let i = (block * KEYS) / BLOCKS; i < ((block + 1) * KEYS) / BLOCKS; i++) emit(kv(keys[(i * 7919) % KEYS], 1));
          const zipf = new ZipfKeys(block);
          for (let left = (size - KEYS) / BLOCKS; left > 0; left--) emit(kv(zipf.next(), 1));
        },
      }),
    )
    .apply(
      statefulParDo("count", {
        state: { account: value<string>() },
        process({ value: n }, { state, emit }) {
          const count = Number(state.account.read()?.slice(0, 8) ?? 0) + n;
          state.account.write(String(count).padStart(8, "0") + padding);
          emit(count);
        },
      }),
    )
    .apply(
      filter("add up", (count) => {
        seen++;
        if (count === 1) last++;
        return false;
      }),
    ),
);

const side = (name: string, stateBytes: number, peerOf?: string): Side => ({
  name,
  ...(peerOf === undefined ? {} : { peerOf }),
  async run(elements) {
    size = elements;
    last = 0;
    seen = 0;
    await run(definition, {}, local({ runtime: { stateBytes } }));
    expectEqual(last, KEYS, "keys that were new");
    expectEqual(seen, elements, "elements");
  },
});

export const work: Work = {
  title: "state of a million keys by Zipf's law, ten times larger than the memory that it is given",
  unit: "read-modify-writes",
  target: "150 k/s",
  size: 5_000_000,
  quickSize: 3_000_000,
  warmUpSize: 1_500_000,
  sides: [side("on disk", MEMORY_BYTES), side("in memory", Number.MAX_SAFE_INTEGER)],
};
