import assert from "node:assert/strict";
import { MessageQueue } from "../../../../portability/services/index.js";

describe("MessageQueue", () => {
  it("gives what was pushed before and after it was asked, in order", async () => {
    const queue = new MessageQueue<number>();
    queue.push(1);
    queue.push(2);
    const read: number[] = [];
    const reading = (async () => {
      for await (const each of queue) read.push(each);
    })();
    await Promise.resolve();
    queue.push(3);
    queue.end();
    await reading;
    assert.deepEqual(read, [1, 2, 3]);
  });

  it("has room until its capacity is reached, and again when enough is read", async () => {
    const queue = new MessageQueue<string>(10);
    assert.equal(queue.room(), undefined);
    queue.push("a", 6);
    assert.equal(queue.room(), undefined);
    queue.push("b", 6);
    let hasRoom = false;
    const room = queue.room()!.then(() => (hasRoom = true));
    await Promise.resolve();
    assert.equal(hasRoom, false);
    await queue.next();
    await room;
    assert.equal(queue.bytes, 6);
  });

  it("gives its error after what was pushed before", async () => {
    const queue = new MessageQueue<number>();
    queue.push(1);
    queue.fail(new Error("lost"));
    queue.push(2);
    assert.deepEqual(await queue.next(), { done: false, value: 1 });
    await assert.rejects(queue.next(), /lost/);
  });

  it("lets those who wait for room go on when its reader has gone, and tells the producer", async () => {
    let abandoned = 0;
    const queue = new MessageQueue<number>(1, () => abandoned++);
    queue.push(1, 1);
    queue.push(2, 1);
    const room = queue.room();
    for await (const each of queue) if (each === 1) break;
    await room;
    assert.equal(abandoned, 1);
    queue.push(3, 1);
    assert.deepEqual([queue.closed, queue.bytes, queue.room()], [true, 0, undefined]);
  });
});
