// What Nexmark's queries combine beyond counts and means.
import type { CombineFn } from "beamstorm";
import type { Auction, Bid } from "./events.js";

/** All elements for which `valueOf` is greatest. */
export function highestFn<T>(valueOf: (element: T) => number): CombineFn<T, T[], T[]> {
  const add = (highest: T[], element: T): T[] => {
    const lead = highest.length === 0 ? 1 : valueOf(element) - valueOf(highest[0]);
    if (lead > 0) return [element];
    if (lead === 0) highest.push(element);
    return highest;
  };
  return {
    createAccumulator: () => [],
    addInput: add,
    mergeAccumulators: (left, right) => right.reduce(add, left),
    extractOutput: (highest) => highest,
  };
}

/** What is known of an auction and its bids. */
export interface Bidding {
  auction: Auction | null;
  /** The bid that wins; null before the auction is known, and if no bid is valid. */
  winner: Bid | null;
  /** Bids that came before their auction: whether they are valid is not known yet. */
  waiting: Bid[];
}

/** Of an auction and its bids, in any order: the auction and its winner. */
export const biddingFn: CombineFn<Auction | Bid, Bidding, Bidding> = {
  createAccumulator: () => ({ auction: null, winner: null, waiting: [] }),
  addInput: (bidding, event) => (event.type === "bid" ? addBid(bidding, event) : addAuction(bidding, event)),
  mergeAccumulators(left, right) {
    if (right.auction !== null) addAuction(left, right.auction);
    if (right.winner !== null) addBid(left, right.winner);
    return right.waiting.reduce(addBid, left);
  },
  extractOutput: (bidding) => bidding,
};

function addAuction(bidding: Bidding, auction: Auction): Bidding {
  const { waiting } = bidding;
  bidding.auction = auction;
  bidding.waiting = [];
  return waiting.reduce(addBid, bidding);
}

function addBid(bidding: Bidding, bid: Bid): Bidding {
  const { auction, winner } = bidding;
  if (auction === null) bidding.waiting.push(bid);
  else if (isValid(bid, auction) && (winner === null || beats(bid, winner))) bidding.winner = bid;
  return bidding;
}

function isValid(bid: Bid, { at, expires, reserve }: Auction): boolean {
  return bid.at >= at && bid.at < expires && bid.price >= reserve;
}

/** The highest bid wins, and the earliest of equal ones. */
function beats(bid: Bid, other: Bid): boolean {
  return bid.price > other.price || (bid.price === other.price && bid.at < other.at);
}
