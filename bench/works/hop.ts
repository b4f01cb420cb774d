import { run } from "beamstorm";
import { local } from "beamstorm/local";
import { hop } from "../hop.js";
import { expectEqual, type Work } from "../work.js";

const module = new URL("../hop.js", import.meta.url).href;
const KEYS = ["a", "b", "c", "d", "e", "f", "g", "h"];

async function send(key: string, size: number): Promise<string> {
  const { user } = await run(hop, { key, size }, local({ workers: 2, module }));
  expectEqual(user.query({ name: "arrived", type: "counter" })[0]?.attempted, size, "values");
  return user.query({ name: "ways", type: "string-set" })[0].attempted.join();
}

/** A key whose task is in the source's worker, or in the other one. */
async function keyThat(crosses: boolean): Promise<string> {
  for (const key of KEYS) {
    const [from, to] = (await send(key, 1)).split("→");
    if ((from !== to) === crosses) return key;
  }
  throw new Error("no key goes that way");
}

const keys = new Map<boolean, string>();

async function sendAll(crosses: boolean, size: number): Promise<void> {
  let key = keys.get(crosses);
  if (key === undefined) keys.set(crosses, (key = await keyThat(crosses)));
  await send(key, size);
}

export const work: Work = {
  title:
    "records of a hundred bytes from a source to a grouping, in the same worker or in another one; the start of both is part of the time",
  unit: "records",
  target: "reported: what one element across two processes costs",
  size: 2_000_000,
  quickSize: 500_000,
  warmUpSize: 1,
  comment: ({ seconds, size }) => `${Math.round((seconds * 1e9) / size)} ns a record`,
  sides: [
    { name: "to the other worker", run: (size) => sendAll(true, size) },
    { name: "in one worker", run: (size) => sendAll(false, size) },
  ],
};
