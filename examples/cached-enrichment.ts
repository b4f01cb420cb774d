// Asks a service that takes only so many questions a second, and never twice for what it has answered lately: answers are kept in state,
// per key, until a timer drops them. The example starts the service that it asks.
//
//   npx beamstorm run examples/cached-enrichment.ts
//
// What holds: a task asks one question at a time, and at most --per-second of them in a second. Keys are dealt out to as many tasks as
// there are workers, so with --workers 4 the service sees up to four times as many. Where it must not, give all elements one key: then
// they come to one task, and a map in its state has the answers.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import {
  counter,
  jsonLines,
  map,
  option,
  output,
  pipeline,
  processingTimer,
  schema,
  seconds,
  sequence,
  statefulParDo,
  value,
  withKeys,
} from "beamstorm";

const asked = counter("calls to the service");
const CITIES = ["Paris", "Oslo", "Quito", "Hanoi"];

/** A service that knows the city of an address. */
async function startService(): Promise<Server> {
  const server = createServer(({ url }, response) => response.end(CITIES[Number(url?.split(".").at(-1))]));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** Lets calls through no closer than `1 / perSecond` seconds to each other. */
function paced(perSecond: number): () => Promise<void> {
  let next = 0;
  return async () => {
    const now = performance.now();
    const at = Math.max(now, next);
    next = at + 1000 / perSecond;
    if (at > now) await sleep(at - now);
  };
}

export default pipeline({
  options: {
    users: option.int({ default: 200, min: 1, help: "how many users to make up" }),
    arrivals: option.number({ default: 100, min: 0.1, help: "how many of them come in a second" }),
    perSecond: option.number({ default: 20, min: 0.1, help: "most questions that a task asks in a second" }),
    ttl: option.number({ default: 1, min: 0, help: "seconds for which an answer is good" }),
    output: option.string({ default: "out/cached-enrichment/users.jsonl", help: "file to write" }),
  },
  build: (p, { users, arrivals, perSecond, ttl, output: file }) =>
    p
      .apply(sequence({ to: users, perSecond: arrivals }))
      .apply(map("user", (n) => ({ user: `user-${n}`, address: `192.0.2.${n % CITIES.length}` })))
      .apply(withKeys(({ address }) => address))
      .apply(
        statefulParDo("look up", {
          outputs: output<{ user: string; city: string; cached: boolean }>(),
          state: { answer: value(schema.string) },
          timers: { expiry: processingTimer() },
          setup: async () => ({ service: await startService(), turn: paced(perSecond) }),

          async process({ key: address, value: { user } }: { key: string; value: { user: string } }, { state, timers, local, emit }) {
            const known = state.answer.read();
            if (known !== undefined) return emit({ user, city: known, cached: true });
            await local.turn();
            const { port } = local.service.address() as AddressInfo;
            asked.inc();
            const response = await fetch(`http://127.0.0.1:${port}/${address}`);
            const city = await response.text();
            state.answer.write(city);
            // It puts nothing out, so nobody's watermark has to wait for it.
            timers.expiry.after(seconds(ttl), { outputTimestamp: "none" });
            emit({ user, city, cached: false });
          },

          onTimer: { expiry: (_timer, { state }) => state.answer.clear() },

          teardown({ local: { service } }) {
            service.close();
            service.closeAllConnections();
          },
        }),
      )
      .apply(jsonLines.write(file)),
});
