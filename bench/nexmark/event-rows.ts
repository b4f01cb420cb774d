// Events as rows of schemas, behind a byte that says of which kind they are.
import { coderOf, schema, type Coder } from "beamstorm";
import type { Auction, Bid, NexmarkEvent, Person } from "./events.js";

// The casts say that `type` has one value in the rows of each kind.
const personCoder = coderOf(
  schema.row({
    type: schema.string,
    id: schema.int32,
    name: schema.string,
    email: schema.string,
    creditCard: schema.string,
    city: schema.string,
    state: schema.string,
    at: schema.millisInstant,
    extra: schema.string,
  }),
) as Coder<Person>;

const auctionCoder = coderOf(
  schema.row({
    type: schema.string,
    id: schema.int32,
    item: schema.string,
    description: schema.string,
    initialBid: schema.int32,
    reserve: schema.int32,
    at: schema.millisInstant,
    expires: schema.millisInstant,
    seller: schema.int32,
    category: schema.int32,
    extra: schema.string,
  }),
) as Coder<Auction>;

const bidCoder = coderOf(
  schema.row({
    type: schema.string,
    auction: schema.int32,
    bidder: schema.int32,
    price: schema.int32,
    at: schema.millisInstant,
    extra: schema.string,
  }),
) as Coder<Bid>;

const PERSON = 0;
const AUCTION = 1;
const BID = 2;

export const eventRowCoder: Coder<NexmarkEvent> = {
  urn: "beamstorm-bench:coder:nexmark_event_row:v1",
  components: [],
  deterministic: true,
  encode(event, writer, nested) {
    switch (event.type) {
      case "bid":
        writer.writeByte(BID);
        return bidCoder.encode(event, writer, nested);
      case "auction":
        writer.writeByte(AUCTION);
        return auctionCoder.encode(event, writer, nested);
      case "person":
        writer.writeByte(PERSON);
        return personCoder.encode(event, writer, nested);
    }
  },
  decode(reader, nested) {
    const kind = reader.readByte();
    switch (kind) {
      case BID:
        return bidCoder.decode(reader, nested);
      case AUCTION:
        return auctionCoder.decode(reader, nested);
      case PERSON:
        return personCoder.decode(reader, nested);
      default:
        return reader.fail(`there is no kind ${kind} of events`);
    }
  },
};
