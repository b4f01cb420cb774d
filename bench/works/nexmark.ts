import { filter, pipeline, run, type KV, type PCollection } from "beamstorm";
import { local } from "beamstorm/local";
import { eventCoder } from "../nexmark/event-coder.js";
import { eventRowCoder } from "../nexmark/event-rows.js";
import type { NexmarkEvent } from "../nexmark/events.js";
import * as queries from "../nexmark/queries.js";
import * as reference from "../nexmark/reference.js";
import { nexmarkEvents } from "../nexmark/source.js";
import { expectEqual, type Side, type Work } from "../work.js";

/** What the last run has given. Properties, since V8 allocates a number for each new value of a variable that is no small integer. */
const seen = { results: 0, sum: 0 };

/**
 * A query over all events. Its results are counted, and added up as the whole numbers that `weigh` makes of them: so their order
 * does not matter.
 */
function query<T>(
  name: string,
  answer: (events: PCollection<NexmarkEvent>) => PCollection<T>,
  expected: (events: Iterable<NexmarkEvent>) => Iterable<T>,
  weigh: (result: T) => number,
  share?: number,
): Side {
  return {
    name,
    peerOf: name, // no query is a yardstick for another one
    share,
    async run(size) {
      seen.results = seen.sum = 0;
      const definition = pipeline((p) =>
        answer(p.apply(nexmarkEvents(size))).apply(
          filter("add up", (result) => {
            seen.results++;
            seen.sum += weigh(result);
            return false;
          }),
        ),
      );
      await run(definition, {}, local());
    },
    check(size) {
      let expectedCount = 0;
      let expectedSum = 0;
      for (const result of expected(reference.firstEvents(size))) {
        expectedCount++;
        expectedSum += weigh(result);
      }
      expectEqual(seen.results, expectedCount, "results");
      expectEqual(seen.sum, expectedSum, "the sum of the results");
    },
  };
}

const weighEvent = (event: NexmarkEvent): number => (event.type === "bid" ? event.price : event.id);
const weighWhole = (event: NexmarkEvent): number => weighEvent(event) + event.extra.length + (event.at % 1000);
const weighPair = ({ key, value }: KV<number, number>): number => key + Math.round(value);

export const work: Work = {
  title: "Nexmark: questions about the events of an auction house, which are made within the pipeline",
  unit: "events",
  target: "query 0: 15 M events/s, encoded 1.5 M; query 5: 3 M; query 7: 8 M; query 11: 1 M",
  size: 10_000_000,
  quickSize: 2_000_000,
  warmUpSize: 1_000_000,
  sides: [
    query("0: pass through", queries.passThrough, reference.passThrough, weighEvent),
    query("0: encoded and decoded", queries.passThroughEncoded(eventCoder), reference.passThrough, weighWhole, 0.2),
    query("0: encoded and decoded as rows", queries.passThroughEncoded(eventRowCoder), reference.passThrough, weighWhole, 0.2),
    query("1: currency conversion", queries.currencyConversion, reference.currencyConversion, ({ price }) => price),
    query("2: selection", queries.selection, reference.selection, ({ auction, price }) => auction + price),
    query(
      "3: local item suggestion",
      queries.localItemSuggestion,
      reference.localItemSuggestion,
      ({ name, auction }) => auction + name.length,
    ),
    query("4: average price of categories", queries.averagePriceOfCategories, reference.averagePriceOfCategories, weighPair),
    query("5: hot items", queries.hotItems, reference.hotItems, ({ auction, bids }) => auction * bids),
    query("6: average price of sellers", queries.averagePriceOfSellers, reference.averagePriceOfSellers, weighPair),
    query("7: highest bid", queries.highestBid, reference.highestBid, ({ auction, bidder, price }) => auction + bidder + price),
    query("8: new sellers", queries.newSellers, reference.newSellers, ({ id, name, reserve }) => id + name.length + reserve),
    query("11: bids in sessions", queries.bidsInSessions, reference.bidsInSessions, weighPair),
    query("12: bids in processing time", queries.bidsInProcessingTime, reference.bidsOfPeople, ({ value }) => value),
  ],
};
