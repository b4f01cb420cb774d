// Nexmark's queries: each makes the answer to one question of the events. Where a question has no windows, it is answered once, of all
// events: over bounded input the global window ends.
import {
  afterDelay,
  combineGlobally,
  combinePerKey,
  countPerKey,
  filter,
  fixed,
  flatMap,
  global,
  innerJoin,
  kv,
  map,
  meanPerKey,
  repeatedly,
  seconds,
  sessions,
  sliding,
  topPerKey,
  windowInto,
  withKeys,
  type Coder,
  type KV,
  type PCollection,
} from "beamstorm";
import { ByteReader, ByteWriter } from "beamstorm/portability";
import { biddingFn, highestFn } from "./combine-fns.js";
import type { Auction, Bid, NexmarkEvent, Person } from "./events.js";

type Events = PCollection<NexmarkEvent>;

export const EUROS_FOR_100_DOLLARS = 89;
export const AUCTION_STEP = 123;
export const STATES: readonly string[] = ["OR", "ID", "CA"];
export const CATEGORY = 10;
export const LAST_SALES = 10;
export const WINDOW = seconds(10);
export const SLIDE = seconds(5);

const bids = filter("bids", (event: NexmarkEvent) => event.type === "bid");
const auctions = filter("auctions", (event: NexmarkEvent) => event.type === "auction");
const people = filter("people", (event: NexmarkEvent) => event.type === "person");
const auctionsAndBids = filter("auctions and bids", (event: NexmarkEvent) => event.type !== "person");

/** Query 0: all events, as they are. It shows what everything around a query costs. */
export const passThrough = (events: Events): Events => events.apply(map("pass through", (event) => event));

/** Query 0, with each event encoded and decoded. */
export const passThroughEncoded =
  (coder: Coder<NexmarkEvent>) =>
  (events: Events): Events => {
    const writer = new ByteWriter();
    const reader = new ByteReader(new Uint8Array());
    return events.apply(
      map("encode and decode", (event) => {
        writer.reset();
        coder.encode(event, writer, false);
        reader.reset(writer.view());
        return coder.decode(reader, false);
      }),
    );
  };

/** Query 1: all bids, in euros. */
export const currencyConversion = (events: Events): PCollection<Bid> =>
  events.apply(bids).apply(
    map("in euros", ({ type, auction, bidder, price, at, extra }) => {
      return { type, auction, bidder, price: Math.round((price * EUROS_FOR_100_DOLLARS) / 100), at, extra };
    }),
  );

/** Query 2: the bids on certain auctions. */
export const selection = (events: Events): PCollection<Pick<Bid, "auction" | "price">> =>
  events
    .apply(bids)
    .apply(filter("certain auctions", ({ auction }) => auction % AUCTION_STEP === 0))
    .apply(map("auction and price", ({ auction, price }) => ({ auction, price })));

export type LocalItem = Pick<Person, "name" | "city" | "state"> & { readonly auction: number };

/** Query 3: what people in certain states sell in one category. */
export function localItemSuggestion(events: Events): PCollection<LocalItem> {
  const locals = events
    .apply(people)
    .apply(filter("local", ({ state }) => STATES.includes(state)))
    .apply(withKeys("by id", ({ id }) => id));
  return events
    .apply(auctions)
    .apply(filter("in the category", ({ category }) => category === CATEGORY))
    .apply(withKeys("by seller", ({ seller }) => seller))
    .apply(innerJoin(locals))
    .apply(map("local item", ({ value: [{ id: auction }, { name, city, state }] }) => ({ name, city, state, auction })));
}

export interface Sale {
  readonly auction: Auction;
  readonly winner: Bid;
}

/** The auctions that somebody has won, which queries 4 and 6 are about. */
export const salesOf = (events: Events): PCollection<Sale> =>
  events
    .apply(auctionsAndBids)
    .apply(withKeys("by auction", (event) => (event.type === "bid" ? event.auction : event.id)))
    .apply(combinePerKey("bidding", biddingFn))
    .apply(flatMap("sales", ({ value: { auction, winner } }) => (auction === null || winner === null ? [] : [{ auction, winner }])));

/** Query 4: the average price at which items of each category are sold. */
export const averagePriceOfCategories = (events: Events): PCollection<KV<number, number>> =>
  salesOf(events)
    .apply(map("price by category", ({ auction: { category }, winner: { price } }) => kv(category, price)))
    .apply(meanPerKey());

export interface HotItem {
  readonly auction: number;
  readonly bids: number;
  /** End of the window. */
  readonly until: number;
}

/** Query 5: the auctions with the most bids in sliding windows. */
export const hotItems = (events: Events, size = WINDOW, every = SLIDE): PCollection<HotItem> =>
  events
    .apply(bids)
    .apply(windowInto(sliding({ size, every })))
    .apply(withKeys("by auction", ({ auction }) => auction))
    .apply(countPerKey())
    .apply(
      combineGlobally(
        "most",
        highestFn(({ value }: KV<number, number>) => value),
      ),
    )
    .apply(
      flatMap("hot items", (most, { window }) =>
        most.map(({ key, value }) => ({ auction: key, bids: value, until: window.maxTimestamp + 1 })),
      ),
    );

/** Query 6: the average price of the last ten items that each seller has sold. */
export const averagePriceOfSellers = (events: Events): PCollection<KV<number, number>> =>
  salesOf(events)
    .apply(withKeys("by seller", ({ auction }) => auction.seller))
    .apply(topPerKey(LAST_SALES, (a, b) => a.auction.expires - b.auction.expires || a.auction.id - b.auction.id))
    .apply(map("average", ({ key, value: sales }) => kv(key, sales.reduce((sum, { winner }) => sum + winner.price, 0) / sales.length)));

/** Query 7: the highest bids of each window. */
export const highestBid = (events: Events, size = WINDOW): PCollection<Bid> =>
  events
    .apply(bids)
    .apply(windowInto(fixed(size)))
    .apply(
      combineGlobally(
        "highest",
        highestFn(({ price }: Bid) => price),
      ),
    )
    .apply(flatMap("highest bids", (highest) => highest));

export interface NewSeller {
  readonly id: number;
  readonly name: string;
  readonly auction: number;
  readonly reserve: number;
}

/** Query 8: who sells something in the same window in which they have registered. */
export function newSellers(events: Events, size = WINDOW): PCollection<NewSeller> {
  const windowed = events.apply(windowInto(fixed(size)));
  const newcomers = windowed.apply(people).apply(withKeys("by id", ({ id }) => id));
  return windowed
    .apply(auctions)
    .apply(withKeys("by seller", ({ seller }) => seller))
    .apply(innerJoin(newcomers))
    .apply(map("new seller", ({ value: [{ id: auction, reserve }, { id, name }] }) => ({ id, name, auction, reserve })));
}

/** Query 11: how many bids people make in a session, which ends when they have made none for a while. */
export const bidsInSessions = (events: Events, gap = WINDOW): PCollection<KV<number, number>> =>
  events
    .apply(bids)
    .apply(windowInto(sessions(gap)))
    .apply(withKeys("by bidder", ({ bidder }) => bidder))
    .apply(countPerKey());

/** Query 12: how many bids people make in some seconds of processing time, from the first one on that has not been counted yet. */
export const bidsInProcessingTime = (events: Events): PCollection<KV<number, number>> =>
  events
    .apply(bids)
    .apply(windowInto(global(), { trigger: repeatedly(afterDelay(WINDOW)) }))
    .apply(withKeys("by bidder", ({ bidder }) => bidder))
    .apply(countPerKey());
