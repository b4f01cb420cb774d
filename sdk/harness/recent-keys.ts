const SLOTS = 16_384;
/** Lookups between two judgements, and how many of them must have been hits for the next ones to be tried. */
const TRIAL = 4096;
const WORTH_IT = TRIAL / 4;
/** Trials that are left out when one was not worth it. */
const REST = 16;

/**
 * What was looked up last under text keys, found without the key's hash: one slot for each combination of length and three
 * characters.
 *
 * The hash of a word that was cut from a line a moment ago is not known yet, and computing it, in V8's own code, costs more than all
 * else that a counted word needs. Most words occur again soon: they are found by comparing one string. Where that does not hold, the table
 * notices and steps aside. Word count: 7.8 M words/s without, 9.7 M with it.
 */
export class RecentKeys<E extends { readonly key: unknown }> {
  private readonly entries = new Array<E | undefined>(SLOTS).fill(undefined);
  private lookups = 0;
  private hits = 0;
  private resting = 0;
  private isEmpty = true;

  /** The entry remembered under an equal key. The caller checks whatever else identifies it. */
  get(key: string): E | undefined {
    if (++this.lookups >= TRIAL) this.judge();
    if (this.resting > 0) return undefined;
    const entry = this.entries[slotOf(key)];
    if (entry === undefined || entry.key !== key) return undefined;
    this.hits++;
    return entry;
  }

  remember(key: string, entry: E): void {
    if (this.resting > 0) return;
    this.entries[slotOf(key)] = entry;
    this.isEmpty = false;
  }

  clear(): void {
    if (!this.isEmpty) this.entries.fill(undefined);
    this.isEmpty = true;
  }

  private judge(): void {
    if (this.resting > 0) this.resting--;
    else if (this.hits < WORTH_IT) {
      this.resting = REST;
      this.clear();
    }
    this.lookups = 0;
    this.hits = 0;
  }
}

function slotOf(key: string): number {
  const { length } = key;
  if (length === 0) return 0;
  const mixed = key.charCodeAt(0) * 31 + key.charCodeAt(length >> 1) * 961 + key.charCodeAt(length - 1) * 7 + length * 4001;
  return mixed & (SLOTS - 1);
}
