// Events by a coder of their own: a byte that says of which kind they are, then numbers as varints, and texts behind their lengths.
import type { Coder } from "beamstorm";
import type { ByteReader, ByteWriter } from "beamstorm/portability";
import type { Auction, Bid, NexmarkEvent, Person } from "./events.js";

const PERSON = 0;
const AUCTION = 1;
const BID = 2;

export const eventCoder: Coder<NexmarkEvent> = {
  urn: "beamstorm-bench:coder:nexmark_event:v1",
  components: [],
  deterministic: true,
  encode(event, writer) {
    switch (event.type) {
      case "bid":
        return encodeBid(event, writer);
      case "auction":
        return encodeAuction(event, writer);
      case "person":
        return encodePerson(event, writer);
    }
  },
  decode(reader) {
    const kind = reader.readByte();
    switch (kind) {
      case BID:
        return decodeBid(reader);
      case AUCTION:
        return decodeAuction(reader);
      case PERSON:
        return decodePerson(reader);
      default:
        return reader.fail(`there is no kind ${kind} of events`);
    }
  },
};

function encodePerson({ id, name, email, creditCard, city, state, at, extra }: Person, writer: ByteWriter): void {
  writer.writeByte(PERSON);
  writer.writeVarint(id);
  writer.writeUtf8(name);
  writer.writeUtf8(email);
  writer.writeUtf8(creditCard);
  writer.writeUtf8(city);
  writer.writeUtf8(state);
  writer.writeVarint(at);
  writer.writeUtf8(extra);
}

function decodePerson(reader: ByteReader): Person {
  return {
    type: "person",
    id: reader.readVarint(),
    name: readText(reader),
    email: readText(reader),
    creditCard: readText(reader),
    city: readText(reader),
    state: readText(reader),
    at: reader.readVarint(),
    extra: readText(reader),
  };
}

function encodeAuction(auction: Auction, writer: ByteWriter): void {
  writer.writeByte(AUCTION);
  writer.writeVarint(auction.id);
  writer.writeUtf8(auction.item);
  writer.writeUtf8(auction.description);
  writer.writeVarint(auction.initialBid);
  writer.writeVarint(auction.reserve);
  writer.writeVarint(auction.at);
  writer.writeVarint(auction.expires);
  writer.writeVarint(auction.seller);
  writer.writeVarint(auction.category);
  writer.writeUtf8(auction.extra);
}

function decodeAuction(reader: ByteReader): Auction {
  return {
    type: "auction",
    id: reader.readVarint(),
    item: readText(reader),
    description: readText(reader),
    initialBid: reader.readVarint(),
    reserve: reader.readVarint(),
    at: reader.readVarint(),
    expires: reader.readVarint(),
    seller: reader.readVarint(),
    category: reader.readVarint(),
    extra: readText(reader),
  };
}

function encodeBid({ auction, bidder, price, at, extra }: Bid, writer: ByteWriter): void {
  writer.writeByte(BID);
  writer.writeVarint(auction);
  writer.writeVarint(bidder);
  writer.writeVarint(price);
  writer.writeVarint(at);
  writer.writeUtf8(extra);
}

function decodeBid(reader: ByteReader): Bid {
  return {
    type: "bid",
    auction: reader.readVarint(),
    bidder: reader.readVarint(),
    price: reader.readVarint(),
    at: reader.readVarint(),
    extra: readText(reader),
  };
}

function readText(reader: ByteReader): string {
  return reader.readText(reader.readLength());
}
