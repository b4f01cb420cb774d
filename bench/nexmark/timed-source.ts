import { MIN_TIMESTAMP, unboundedSource, type PCollection, type Pipeline, type PTransform } from "beamstorm";
import type { NexmarkEvent } from "./events.js";
import { NexmarkGenerator } from "./generator.js";

/** The first `count` events at a rate, each at the event time at which it is due, whoever is late to read it. */
export function timedEvents(count: number, perSecond: number): PTransform<Pipeline, PCollection<NexmarkEvent>> {
  return unboundedSource<NexmarkEvent>({
    name: "events",
    ends: true,
    open({ now }) {
      const generator = new NexmarkGenerator();
      const perMilli = perSecond / 1000;
      let origin: number | undefined;
      let n = 0;
      const dueAt = (): number => Math.floor(origin! + n / perMilli);
      return {
        read(emit) {
          const time = now();
          origin ??= time;
          const due = Math.min(count, Math.floor((time - origin) * perMilli));
          while (n < due) {
            // All that are due in the same millisecond.
            const at = dueAt();
            const end = Math.min(due, Math.ceil((at + 1 - origin) * perMilli));
            do if (!emit(generator.event(n++), at)) return n < count ? "more" : "end";
            while (n < end);
          }
          return n < count ? time + 1 : "end";
        },
        watermark: () => (origin === undefined ? MIN_TIMESTAMP : dueAt()),
      };
    },
  });
}
