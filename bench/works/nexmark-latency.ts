import { filter, pipeline, run, type PCollection } from "beamstorm";
import { local } from "beamstorm/local";
import { Latencies } from "../latencies.js";
import type { NexmarkEvent } from "../nexmark/events.js";
import * as queries from "../nexmark/queries.js";
import { timedEvents } from "../nexmark/timed-source.js";
import { expectEqual, type Side, type Work } from "../work.js";

/** Windows are shorter than Nexmark's own, so that a run of half a minute has results of many. */
const WINDOW = 1000;
const SLIDE = 500;

const latencies = new Latencies();

/** A query over events that come at a rate, each at the event time at which it is due; the delay is that from the end of a window to its result. */
function query(name: string, perSecond: number, answer: (events: PCollection<NexmarkEvent>) => PCollection<unknown>): Side {
  return {
    name: `${name}, ${perSecond / 1e6} M events/s`,
    peerOf: `${name}, ${perSecond / 1e6} M events/s`,
    async run(secondsLong) {
      latencies.clear();
      const count = perSecond * secondsLong;
      // What the windows at the end of input are told at once does not count.
      const lastStart = Date.now() + (secondsLong - 2) * 1000;
      await run(
        pipeline((p) =>
          answer(p.apply(timedEvents(count, perSecond))).apply(
            filter("measure", (_result, { window }) => {
              const end = window.maxTimestamp + 1;
              if (end < lastStart) latencies.record(Date.now() - end);
              return false;
            }),
          ),
        ),
        {},
        local(),
      );
      expectEqual(latencies.percentiles().count > 0 ? 1 : 0, 1, "some results");
    },
    latency: () => latencies.percentiles(),
  };
}

export const work: Work = {
  title: "Nexmark's queries at half the load that they can take: from the end of a window to its result; seconds of events",
  unit: "latency",
  target: "99 % within 20 ms (queries 5 and 7)",
  size: 30,
  quickSize: 10,
  warmUpSize: 5,
  sides: [
    query("5: hot items", 1_300_000, (events) => queries.hotItems(events, WINDOW, SLIDE)),
    query("7: highest bid", 2_000_000, (events) => queries.highestBid(events, WINDOW)),
    query("8: new sellers", 1_300_000, (events) => queries.newSellers(events, WINDOW)),
    query("11: bids in sessions", 1_000_000, (events) => queries.bidsInSessions(events, WINDOW)),
  ],
};
