import { MAX_TIMESTAMP } from "../../../../portability/values/index.js";
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { dialWorker, LinkEndpoint, type Hello, type Link, type LinkListener } from "../../../../runner/runtime/index.js";
import { Barrier } from "../../../../runner/runtime/barrier.js";
import { IDLE } from "../../../../runner/runtime/watermark-coalescer.js";
import { FrameType, frameBytes } from "../../../../runner/runtime/frame-decoder.js";

const hello = (worker: number, more: Partial<Hello> = {}): Hello => ({ job: "job", generation: 1, token: "secret", worker, ...more });

/** Notes what a link delivers. */
function listenTo(link: Link): { heard: unknown[]; next(): Promise<unknown> } {
  const heard: unknown[] = [];
  let wake: () => void = () => {};
  const note = (what: unknown): void => {
    heard.push(what);
    wake();
  };
  const listener: LinkListener = {
    data: (channel, payload) => note(["data", channel, Buffer.from(payload).toString()]),
    watermark: (channel, watermark) => note(["watermark", channel, watermark]),
    barrier: (channel, { epoch, elements, isEnd }) => note([isEnd ? "end" : "barrier", channel, epoch, elements]),
    credit: (channel, bytes) => note(["credit", channel, bytes]),
    drained: () => {},
    lost: (error) => note(["lost", error.message]),
  };
  link.listen(listener);
  let read = 0;
  const next = async (): Promise<unknown> => {
    while (heard.length <= read) await new Promise<void>((resolve) => (wake = resolve));
    return heard[read++];
  };
  return { heard, next };
}

describe("a link between two workers", () => {
  let endpoint: LinkEndpoint;
  let accepted: Promise<{ worker: number; link: Link }>;

  beforeEach(async () => {
    let resolve: (accepted: { worker: number; link: Link }) => void;
    accepted = new Promise((settle) => (resolve = settle));
    endpoint = await LinkEndpoint.open(hello(1), (worker, link) => resolve({ worker, link }));
  });
  afterEach(async () => {
    await endpoint.close();
  });

  const rawSocket = async (): Promise<Socket> => {
    const socket = connect(endpoint.address.slice("unix:".length));
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  };

  it("carries frames of many channels in order, both ways", async () => {
    const near = await dialWorker(endpoint.address, hello(0), 1);
    const { worker, link: far } = await accepted;
    assert.equal(worker, 0);
    const [atNear, atFar] = [listenTo(near), listenTo(far)];
    near.sendData(frameBytes(FrameType.DATA, 5, Buffer.from("a")));
    near.sendWatermark(5, MAX_TIMESTAMP);
    near.sendData(frameBytes(FrameType.DATA, 6, Buffer.from("b")));
    far.sendCredit(5, 1.5e10);
    assert.deepEqual(await atFar.next(), ["data", 5, "a"]);
    assert.deepEqual(await atFar.next(), ["watermark", 5, MAX_TIMESTAMP]);
    assert.deepEqual(await atFar.next(), ["data", 6, "b"]);
    assert.deepEqual(await atNear.next(), ["credit", 5, 1.5e10]);
    assert.deepEqual([near.framesSent, far.framesReceived], [3, 3]);
    near.close();
    assert.match(String(await atFar.next()), /lost,connection to worker 0 lost/);
  });

  it("carries that a channel is idle, and ends at a watermark that is none", async () => {
    const near = await dialWorker(endpoint.address, hello(0), 1);
    const atFar = listenTo((await accepted).link);
    near.sendWatermark(5, IDLE);
    near.sendWatermark(5, -Infinity);
    assert.deepEqual(await atFar.next(), ["watermark", 5, IDLE]);
    assert.match(String(await atFar.next()), /-Infinity where a watermark is due/);
    near.close();
  });

  it("carries barriers, and those at the end of a channel", async () => {
    const near = await dialWorker(endpoint.address, hello(0), 1);
    const atFar = listenTo((await accepted).link);
    near.sendBarrier(5, new Barrier(1, 0));
    near.sendBarrier(6, new Barrier(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER));
    near.sendBarrier(5, new Barrier(0, 3, true));
    assert.deepEqual(await atFar.next(), ["barrier", 5, 1, 0]);
    assert.deepEqual(await atFar.next(), ["barrier", 6, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]);
    assert.deepEqual(await atFar.next(), ["end", 5, 0, 3]);
    near.close();
  });

  const doubles = (...values: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(values.length * 8);
    values.forEach((value, i) => bytes.writeDoubleBE(value, i * 8));
    return bytes;
  };
  const hostile: readonly [FrameType, Buffer][] = [
    ...[Buffer.alloc(0), doubles(1), Buffer.alloc(15), doubles(1, 1, 1)].map((payload): [FrameType, Buffer] => [
      FrameType.BARRIER,
      payload,
    ]),
    ...[
      [0, 1],
      [-1, 1],
      [1.5, 1],
      [NaN, 1],
      [Infinity, 1],
      [1, -1],
      [1, 0.5],
      [1, NaN],
      [1, Infinity],
    ].map((values): [FrameType, Buffer] => [FrameType.BARRIER, doubles(...values)]),
    ...[
      [-1, 1],
      [0, -1],
      [0, 0.5],
    ].map((values): [FrameType, Buffer] => [FrameType.END, doubles(...values)]),
    [7 as FrameType, doubles(1, 1)],
  ];
  for (const [type, payload] of hostile)
    it(`ends at a frame ${type} of ${payload.toString("hex") || "nothing"} where a barrier is due`, async () => {
      const near = await dialWorker(endpoint.address, hello(0), 1);
      const atFar = listenTo((await accepted).link);
      near.sendData(frameBytes(type, 5, payload));
      assert.match(String(await atFar.next()), /lost,connection to worker 0 lost: /);
      near.close();
    });

  it("keeps frames that come before anybody listens", async () => {
    const near = await dialWorker(endpoint.address, hello(0), 1);
    const { link: far } = await accepted;
    near.sendData(frameBytes(FrameType.DATA, 1, Buffer.from("early")));
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(await listenTo(far).next(), ["data", 1, "early"]);
    near.close();
    far.close();
  });

  it("says that the connection was lost when the peer sends garbage", async () => {
    const socket = await rawSocket();
    socket.write(frameBytes(FrameType.HELLO, 0, Buffer.from(JSON.stringify(hello(0)))));
    const { link } = await accepted;
    const far = listenTo(link);
    socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3]));
    assert.match(String(await far.next()), /lost.*frame of 4294967295 bytes/);
  });

  for (const [what, wrong] of Object.entries({
    "a wrong token": { token: "guess!" },
    "another job": { job: "other" },
    "an older generation": { generation: 0 },
  }))
    it(`turns away a worker with ${what}, and tells it nothing`, async () => {
      const socket = await rawSocket();
      let told = 0;
      socket.on("data", (chunk: Buffer) => (told += chunk.byteLength));
      socket.write(frameBytes(FrameType.HELLO, 0, Buffer.from(JSON.stringify(hello(0, wrong)))));
      await once(socket, "close");
      assert.equal(told, 0);
    });

  it("turns away whoever sends data, or a huge frame, instead of a greeting", async () => {
    for (const bytes of [frameBytes(FrameType.DATA, 1, Buffer.from("x")), Buffer.from([0, 1, 0, 0])]) {
      const socket = await rawSocket();
      socket.write(bytes);
      await once(socket, "close");
    }
  });

  it("does not dial one worker for another", async () => {
    await assert.rejects(dialWorker(endpoint.address, hello(0), 2), /worker 1 answered where worker 2 was expected/);
  });
});
