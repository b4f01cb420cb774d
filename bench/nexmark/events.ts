// The events of Nexmark's auction house: people register, open auctions, and bid. Each kind of event has one shape, whose properties
// are always made in the same order.

/** Someone who may sell and bid. */
export interface Person {
  readonly type: "person";
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly creditCard: string;
  readonly city: string;
  readonly state: string;
  /** When it happened, in milliseconds, as in the other events. */
  readonly at: number;
  /** Padding up to the size that events have in the benchmark, as in the other events. */
  readonly extra: string;
}

/** An item that is offered. Prices are in cents. */
export interface Auction {
  readonly type: "auction";
  readonly id: number;
  readonly item: string;
  readonly description: string;
  readonly initialBid: number;
  /** The least price for which the item is sold. */
  readonly reserve: number;
  readonly at: number;
  /** Bids count before this instant. */
  readonly expires: number;
  /** Id of a person. */
  readonly seller: number;
  readonly category: number;
  readonly extra: string;
}

/** An offer for the item of an auction. */
export interface Bid {
  readonly type: "bid";
  /** Id of the auction. */
  readonly auction: number;
  /** Id of a person. */
  readonly bidder: number;
  /** In cents. */
  readonly price: number;
  readonly at: number;
  readonly extra: string;
}

export type NexmarkEvent = Person | Auction | Bid;
