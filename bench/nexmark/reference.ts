// The answers to Nexmark's questions by plain loops over the events: what the answers of the queries must be.
import { kv, type KV } from "beamstorm";
import type { Auction, Bid, NexmarkEvent, Person } from "./events.js";
import { NexmarkGenerator } from "./generator.js";
import { AUCTION_STEP, CATEGORY, EUROS_FOR_100_DOLLARS, LAST_SALES, SLIDE, STATES, WINDOW } from "./queries.js";
import type { HotItem, LocalItem, NewSeller, Sale } from "./queries.js";

/** May be gone through several times. */
type Events = Iterable<NexmarkEvent>;

export function firstEvents(count: number): Events {
  return {
    *[Symbol.iterator]() {
      const generator = new NexmarkGenerator();
      for (let n = 0; n < count; n++) yield generator.event(n);
    },
  };
}

export const passThrough = (events: Events): Iterable<NexmarkEvent> => events;

export function* currencyConversion(events: Events): Iterable<Bid> {
  for (const bid of bidsOf(events)) yield { ...bid, price: Math.round((bid.price * EUROS_FOR_100_DOLLARS) / 100) };
}

export function* selection(events: Events): Iterable<Pick<Bid, "auction" | "price">> {
  for (const bid of bidsOf(events)) if (bid.auction % AUCTION_STEP === 0) yield bid;
}

export function* localItemSuggestion(events: Events): Iterable<LocalItem> {
  const people = peopleById(events);
  for (const { id, seller, category } of auctionsOf(events)) {
    const person = people.get(seller);
    if (category === CATEGORY && person !== undefined && STATES.includes(person.state)) yield { ...person, auction: id };
  }
}

export function averagePriceOfCategories(events: Events): Iterable<KV<number, number>> {
  return averages(salesOf(events), ({ auction }) => auction.category);
}

export function* hotItems(events: Events): Iterable<HotItem> {
  const windows = new Map<number, Map<number, number>>();
  for (const { auction, at } of bidsOf(events))
    for (let until = at - (at % SLIDE) + SLIDE; until <= at + WINDOW; until += SLIDE) {
      let counts = windows.get(until);
      if (counts === undefined) windows.set(until, (counts = new Map()));
      counts.set(auction, (counts.get(auction) ?? 0) + 1);
    }
  for (const [until, counts] of windows) {
    const most = Math.max(...counts.values());
    for (const [auction, bids] of counts) if (bids === most) yield { auction, bids, until };
  }
}

export function averagePriceOfSellers(events: Events): Iterable<KV<number, number>> {
  const lastFirst = [...salesOf(events)].sort((a, b) => b.auction.expires - a.auction.expires || b.auction.id - a.auction.id);
  return averages(lastFirst, ({ auction }) => auction.seller, LAST_SALES);
}

export function* highestBid(events: Events): Iterable<Bid> {
  const highest = new Map<number, Bid[]>();
  for (const bid of bidsOf(events)) {
    const window = Math.floor(bid.at / WINDOW);
    const [other] = highest.get(window) ?? [];
    if (other === undefined || bid.price > other.price) highest.set(window, [bid]);
    else if (bid.price === other.price) highest.get(window)?.push(bid);
  }
  for (const bids of highest.values()) yield* bids;
}

export function* newSellers(events: Events): Iterable<NewSeller> {
  const people = peopleById(events);
  for (const { id: auction, seller, reserve, at } of auctionsOf(events)) {
    const person = people.get(seller);
    if (person !== undefined && Math.floor(person.at / WINDOW) === Math.floor(at / WINDOW))
      yield { id: person.id, name: person.name, auction, reserve };
  }
}

export function* bidsInSessions(events: Events): Iterable<KV<number, number>> {
  const sessions = new Map<number, { bids: number; last: number }>();
  for (const { bidder, at } of bidsOf(events)) {
    const session = sessions.get(bidder);
    if (session !== undefined && at - session.last < WINDOW) {
      session.bids++;
      session.last = at;
      continue;
    }
    if (session !== undefined) yield kv(bidder, session.bids);
    sessions.set(bidder, { bids: 1, last: at });
  }
  for (const [bidder, { bids }] of sessions) yield kv(bidder, bids);
}

/** All bids of each person: their parts depend on the time that the run takes. */
export function bidsOfPeople(events: Events): Iterable<KV<number, number>> {
  const counts = new Map<number, number>();
  for (const { bidder } of bidsOf(events)) counts.set(bidder, (counts.get(bidder) ?? 0) + 1);
  return Array.from(counts, ([bidder, bids]) => kv(bidder, bids));
}

function* bidsOf(events: Events): Iterable<Bid> {
  for (const event of events) if (event.type === "bid") yield event;
}

function* auctionsOf(events: Events): Iterable<Auction> {
  for (const event of events) if (event.type === "auction") yield event;
}

function peopleById(events: Events): Map<number, Person> {
  const people = new Map<number, Person>();
  for (const event of events) if (event.type === "person") people.set(event.id, event);
  return people;
}

function salesOf(events: Events): Iterable<Sale> {
  const auctions = new Map<number, Auction>();
  for (const auction of auctionsOf(events)) auctions.set(auction.id, auction);
  const sales = new Map<number, Sale>();
  for (const bid of bidsOf(events)) {
    const auction = auctions.get(bid.auction);
    if (auction === undefined || bid.at < auction.at || bid.at >= auction.expires || bid.price < auction.reserve) continue;
    const highest = sales.get(bid.auction)?.winner;
    if (highest === undefined || bid.price > highest.price) sales.set(bid.auction, { auction, winner: bid }); // bids come in their order
  }
  return sales.values();
}

/** The average price of what was sold, for each key; of its first `most` items where there are more. */
function averages(sales: Iterable<Sale>, keyOf: (sale: Sale) => number, most = Infinity): Iterable<KV<number, number>> {
  const totals = new Map<number, { price: number; items: number }>();
  for (const sale of sales) {
    const key = keyOf(sale);
    let total = totals.get(key);
    if (total === undefined) totals.set(key, (total = { price: 0, items: 0 }));
    if (total.items === most) continue;
    total.price += sale.winner.price;
    total.items++;
  }
  return Array.from(totals, ([key, { price, items }]) => kv(key, price / items));
}
