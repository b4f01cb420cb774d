// What events are filled with. Made once, so that an event only points to its texts.
import { Random } from "./random.js";

const ENTRIES = 1024;
const random = new Random().start(20_260_101);

const table = <T>(entries: number, make: (i: number) => T): readonly T[] => Array.from({ length: entries }, (_, i) => make(i));

/** Letters, about as many as `length`: up to a fifth less or more. */
function letters(length: number): string {
  const shortest = Math.floor(length * 0.8);
  const codes = table(shortest + random.below(length * 0.4), () => 97 + random.below(26));
  return String.fromCharCode(...codes);
}

const digits = (length: number): string => table(length, () => random.below(10)).join("");

const FIRST_NAMES = ["Ada", "Blaise", "Carl", "Dorothy", "Edsger", "Frances", "Grace", "Hedy", "John", "Kurt", "Lise", "Sofia"];
const LAST_NAMES = ["Abel", "Banach", "Cantor", "Dirac", "Euler", "Fermi", "Galois", "Hopper", "Noether", "Turing", "Weyl"];
export const NAMES = FIRST_NAMES.flatMap((first) => LAST_NAMES.map((last) => `${first} ${last}`));
export const EMAILS = table(ENTRIES, () => `${letters(7)}@${letters(5)}.com`);
export const CREDIT_CARDS = table(ENTRIES, () => table(4, () => digits(4)).join(" "));

/** Each city with its state. */
export const PLACES = [
  ["Phoenix", "AZ"],
  ["Tucson", "AZ"],
  ["Los Angeles", "CA"],
  ["San Francisco", "CA"],
  ["Boise", "ID"],
  ["Meridian", "ID"],
  ["Portland", "OR"],
  ["Bend", "OR"],
  ["Seattle", "WA"],
  ["Spokane", "WA"],
  ["Cheyenne", "WY"],
  ["Laramie", "WY"],
] as const;

export const ITEMS = table(ENTRIES, () => letters(20));
export const DESCRIPTIONS = table(ENTRIES, () => letters(100));

/** In cents, from 1.00 to 1,000,000.00, each order of magnitude as frequent as the others. */
export const PRICES = table(4096, (i) => Math.round(100 * 10 ** ((6 * i) / 4095)));

// What is missing to the average size that the benchmark gives to events: 200 bytes for people, 500 for auctions, 100 for bids.
export const PERSON_EXTRAS = table(ENTRIES, () => letters(120));
export const AUCTION_EXTRAS = table(ENTRIES, () => letters(320));
export const BID_EXTRAS = table(ENTRIES, () => letters(68));
