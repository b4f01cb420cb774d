// Nexmark's stream of events, by number: event n is the same whenever and wherever it is made, so a range of numbers is a share of it.
//
// N1. Of every 50 events the first is a person, the next three are auctions, the others are bids.
// N2. Ids of people and auctions count up in the order of events. What refers to one picks it among those that are active, or, now and
//     then, among the next ones to come, as in a stream that is out of order.
// N3. Event time is the number of the event at a fixed rate.
// N4. An event costs one allocation: texts and prices are those of tables.
import type { Auction, Bid, NexmarkEvent, Person } from "./events.js";
import { Random } from "./random.js";
import { AUCTION_EXTRAS, BID_EXTRAS, CREDIT_CARDS, DESCRIPTIONS, EMAILS, ITEMS, NAMES, PERSON_EXTRAS, PLACES, PRICES } from "./tables.js";

const ROUND = 50; // N1
const AUCTIONS_A_ROUND = 3;
const FIRST_ID = 1000;
const FIRST_CATEGORY = 10;
const CATEGORIES = 5;
/** N2. How many of the next people or auctions can be referred to. */
const AHEAD = 10;
/** A person or auction is hot until this many others have come. */
const HOT_FOR = 100;

const DEFAULTS = {
  seed: 1,
  /** Event time of event 0, in milliseconds. */
  firstAt: Date.UTC(2026, 0, 1),
  /** Events in a second of event time. */
  eventsPerSecond: 10_000,
  /** All but one bid of so many go to the hot auction. */
  hotAuctionRatio: 2,
  /** All but one bid of so many are made by the hot bidder. */
  hotBidderRatio: 4,
  /** All but one auction of so many are opened by the hot seller. */
  hotSellerRatio: 4,
  /** So many of the newest people sell and bid. */
  activePeople: 1000,
  /** So many of the newest auctions get bids. */
  activeAuctions: 100,
};

export type NexmarkOptions = Readonly<typeof DEFAULTS>;

/**
 * Makes events.
 *
 * @example
 * ```ts
 * const generator = new NexmarkGenerator({ eventsPerSecond: 1_000_000 });
 * for (let n = 0; n < 100; n++) console.log(generator.event(n));
 * ```
 */
export class NexmarkGenerator {
  private readonly options: NexmarkOptions;
  private readonly millisPerEvent: number;
  /** An auction is open for less than this, in milliseconds: on average until as many others have come as are active. */
  private readonly longestAuction: number;
  private readonly random = new Random();

  constructor(options: Partial<NexmarkOptions> = {}) {
    this.options = { ...DEFAULTS, ...options };
    const { activeAuctions, eventsPerSecond } = this.options;
    this.millisPerEvent = 1000 / eventsPerSecond;
    this.longestAuction = ((2 * activeAuctions * ROUND) / AUCTIONS_A_ROUND) * this.millisPerEvent;
  }

  /** Event `n`, from 0 on. */
  event(n: number): NexmarkEvent {
    const { seed, firstAt } = this.options;
    const round = Math.floor(n / ROUND);
    const place = n - round * ROUND;
    const at = firstAt + Math.floor(n * this.millisPerEvent); // N3
    this.random.start(n ^ seed);
    if (place > AUCTIONS_A_ROUND) return this.bid(round, at);
    if (place > 0) return this.auction(round, round * AUCTIONS_A_ROUND + place - 1, at);
    return this.person(round, at);
  }

  private person(index: number, at: number): Person {
    const { random } = this;
    const [city, state] = random.of(PLACES);
    return {
      type: "person",
      id: FIRST_ID + index,
      name: random.of(NAMES),
      email: random.of(EMAILS),
      creditCard: random.of(CREDIT_CARDS),
      city,
      state,
      at,
      extra: random.of(PERSON_EXTRAS),
    };
  }

  private auction(newestPerson: number, index: number, at: number): Auction {
    const { random } = this;
    const { hotSellerRatio } = this.options;
    const initialBid = random.of(PRICES);
    return {
      type: "auction",
      id: FIRST_ID + index,
      item: random.of(ITEMS),
      description: random.of(DESCRIPTIONS),
      initialBid,
      reserve: initialBid + random.of(PRICES),
      at,
      expires: at + 1 + random.below(this.longestAuction),
      seller: FIRST_ID + (random.below(hotSellerRatio) > 0 ? hot(newestPerson) : this.anyPerson(newestPerson)),
      category: FIRST_CATEGORY + random.below(CATEGORIES),
      extra: random.of(AUCTION_EXTRAS),
    };
  }

  private bid(newestPerson: number, at: number): Bid {
    const { random } = this;
    const { hotAuctionRatio, hotBidderRatio } = this.options;
    const newestAuction = (newestPerson + 1) * AUCTIONS_A_ROUND - 1;
    return {
      type: "bid",
      auction: FIRST_ID + (random.below(hotAuctionRatio) > 0 ? hot(newestAuction) : this.anyAuction(newestAuction)),
      bidder: FIRST_ID + (random.below(hotBidderRatio) > 0 ? hot(newestPerson) + 1 : this.anyPerson(newestPerson)), // not the seller
      price: random.of(PRICES),
      at,
      extra: random.of(BID_EXTRAS),
    };
  }

  /** N2 */
  private anyPerson(newest: number): number {
    const active = Math.min(newest + 1, this.options.activePeople);
    return newest + 1 - active + this.random.below(active + AHEAD);
  }

  /** N2 */
  private anyAuction(newest: number): number {
    const active = Math.min(newest + 1, this.options.activeAuctions);
    return newest + 1 - active + this.random.below(active + AHEAD);
  }
}

/** The one that is hot while this one is the newest. */
function hot(newest: number): number {
  return newest - (newest % HOT_FOR);
}
