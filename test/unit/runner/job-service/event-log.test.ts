import assert from "node:assert/strict";
import { EventLog } from "../../../../runner/job-service/event-log.js";

describe("EventLog", () => {
  const collect = async <T>(events: AsyncIterable<T>): Promise<T[]> => {
    const all: T[] = [];
    for await (const event of events) all.push(event);
    return all;
  };

  it("gives each reader what is kept, then what comes, until the end", async () => {
    const log = new EventLog<number>(1e6);
    log.push(1);
    const early = collect(log.read());
    log.push(2);
    const late = collect(log.read());
    const last = collect(log.readLast());
    log.push(3);
    log.end();
    log.push(4);
    assert.deepEqual(await Promise.all([early, late, last, collect(log.read())]), [
      [1, 2, 3],
      [1, 2, 3],
      [2, 3],
      [1, 2, 3],
    ]);
  });

  it("keeps the latest within its bound, and the last one always", () => {
    const log = new EventLog<number>(1000);
    for (let i = 0; i < 100; i++) log.push(i, 150);
    assert.ok(log.bytes <= 1000);
    assert.equal(log.last, 99);
    log.push(100, 1e6);
    assert.equal(log.last, 100);
  });

  it("keeps nothing for a reader that does not read, and tells it how many events it has missed", async () => {
    const log = new EventLog<string>(1000, (count) => `${count} missed`);
    const reader = log.read()[Symbol.asyncIterator]();
    log.push("a");
    assert.equal((await reader.next()).value, "a");
    for (let i = 0; i < 100; i++) log.push(`${i}`, 150);
    assert.ok(log.bytes <= 1000);
    assert.equal((await reader.next()).value, "96 missed");
    assert.equal((await reader.next()).value, "96");
  });

  it("forgets a reader that stops while it waits", async () => {
    const log = new EventLog<string>(1000);
    const reader = log.read()[Symbol.asyncIterator]();
    const waiting = reader.next();
    await reader.return!();
    assert.deepEqual(await waiting, { done: true, value: undefined });
    log.push("a");
    assert.deepEqual(await reader.next(), { done: true, value: undefined });
  });
});
