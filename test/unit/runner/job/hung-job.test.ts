// Jobs in which something was lost that everybody waits for. Catches hangs that are not told, and messages that do not say who waits
// for what of whom.
import assert from "node:assert/strict";
import { inProcessLauncher, runJob } from "../../../../runner/index.js";
import { HungJobError } from "../../../../runner/job/index.js";
import { Inbox, LocalChannel } from "../../../../runner/runtime/index.js";
import { FakeStageHost, type FakeFunction } from "../../../support/fake-stage-host.js";
import { topologyOf } from "../../../support/topologies.js";

const topology = topologyOf(
  [{ id: "numbers", outputs: ["n"] }, { id: "double", outputs: ["d"] }, { id: "collect" }],
  [
    { from: "numbers", pcollection: "n", to: "double", coder: "int" },
    { from: "double", pcollection: "d", to: "collect", coder: "int" },
  ],
);

const functions: Record<string, FakeFunction> = {
  numbers: (_value, meta, emit) => {
    for (let i = 0; i < 100; i++) emit(i, meta);
  },
  double: (value, meta, emit) => emit(value, meta),
  collect: () => {},
};

/** Runs the job with a method of the runtime broken; what it fails with. */
async function failureWith<T extends object>(prototype: T, method: keyof T, broken: T[keyof T]): Promise<Error> {
  const { [method]: whole } = prototype;
  prototype[method] = broken;
  try {
    const job = runJob(topology, { launcher: inProcessLauncher(() => new FakeStageHost(functions)), runtime: { channelBytes: 64 } });
    return await job.result.then(
      () => assert.fail("it did not hang"),
      (error: Error) => error,
    );
  } finally {
    prototype[method] = whole;
  }
}

describe("A job that hangs", () => {
  it("says where there is no room, when credits are lost", async () => {
    const error = await failureWith(LocalChannel.prototype, "addCredits", () => {});
    assert.ok(error instanceof HungJobError);
    assert.match(error.message, /^nothing can make progress:\n/);
    assert.match(error.message, /^ {2}numbers #0 waits for room for \d+ bytes of output at double #0$/m);
    assert.match(error.message, /^ {2}double #0 waits for input from numbers #0$/m);
    assert.match(error.message, /^ {2}collect #0 waits for input from double #0$/m);
  });

  it("says whose watermark does not come, when it is lost", async () => {
    const { receiveWatermark } = Inbox.prototype;
    const error = await failureWith(Inbox.prototype, "receiveWatermark", function (this: Inbox, port: number, watermark: number) {
      if (this.laggards[port]?.includes("double") !== true) receiveWatermark.call(this, port, watermark);
    });
    assert.ok(error instanceof HungJobError);
    assert.match(error.message, /^nothing can make progress:\n {2}collect #0 waits for input from double #0$/);
  });
}).timeout(30_000);
