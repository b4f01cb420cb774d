// Asks a service about every element: ordinary asynchronous functions, a bounded number of calls under way, output in the order of
// the input. The example starts the service that it asks, so that it runs by itself; with --service it asks yours.
//
//   npx beamstorm run examples/enrichment.ts
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { counter, create, jsonLines, option, output, parDo, pipeline } from "beamstorm";

interface Connection {
  readonly server: Server | undefined;
  readonly url: string;
}

const asked = counter("calls to the service");
const CITIES: Readonly<Record<string, string>> = { "192.0.2.1": "Paris", "192.0.2.2": "Oslo", "192.0.2.3": "Quito" };

/** A service that knows the city of an address, and takes its time. */
async function startService(): Promise<Connection> {
  const server = createServer(({ url }, response) => {
    const city = CITIES[(url ?? "").slice(1)];
    setTimeout(() => response.writeHead(city === undefined ? 404 : 200).end(city), 5);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function cityOf(url: string, address: string): Promise<string | null> {
  asked.inc();
  const response = await fetch(`${url}/${address}`);
  if (response.status === 404) return null;
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return await response.text();
}

export default pipeline({
  options: {
    users: option.int({ default: 100, min: 1, help: "how many users to make up" }),
    service: option.string({ default: "", help: "address of the service, e.g. http://localhost:8000; default: one of the example's own" }),
    output: option.string({ default: "out/enrichment/users.jsonl", help: "file to write" }),
  },
  build: (p, { users, service, output: file }) =>
    p
      .apply(create(Array.from({ length: users }, (_, i) => ({ user: `user-${i}`, address: `192.0.2.${i % 4}` }))))
      .apply(
        parDo("look up", {
          outputs: output<{ user: string; city: string | null }>(),
          concurrency: 32,
          setup: (): Connection | Promise<Connection> => (service === "" ? startService() : { server: undefined, url: service }),
          process: async ({ user, address }: { user: string; address: string }, { local: { url } }) => [
            { user, city: await cityOf(url, address) },
          ],
          teardown({ local: { server } }) {
            server?.close();
            server?.closeAllConnections();
          },
        }),
      )
      .apply(jsonLines.write(file)),
});
