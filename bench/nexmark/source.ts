import { create, parDo, type Emit, type PCollection, type Pipeline } from "beamstorm";
import type { NexmarkEvent } from "./events.js";
import { NexmarkGenerator, type NexmarkOptions } from "./generator.js";

/** Events that one call makes: the runner looks at its bounds between calls. */
const BLOCK = 10_000;

/** The first `count` events, each at its event time. */
export function nexmarkEvents(count: number, options?: Partial<NexmarkOptions>): (p: Pipeline) => PCollection<NexmarkEvent> {
  const firsts = Array.from({ length: Math.ceil(count / BLOCK) }, (_, block) => block * BLOCK);
  const generator = new NexmarkGenerator(options);
  return (p) =>
    p.apply(create("blocks", firsts)).apply(
      parDo("events", {
        process(first: number, { emit }: { emit: Emit<NexmarkEvent> }) {
          const end = Math.min(count, first + BLOCK);
          for (let n = first; n < end; n++) {
            const event = generator.event(n);
            emit(event, event.at);
          }
        },
      }),
    );
}
