// The steps of starting a job, in orders that messages between processes may arrive in.
import assert from "node:assert/strict";
import { watch } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { CheckpointFolder } from "../../../../runner/checkpoint/index.js";
import { WorkerAgent, type FromWorker, type ToWorker } from "../../../../runner/index.js";
import { DEFAULT_RUNTIME_OPTIONS } from "../../../../runner/runtime/index.js";
import type { StageHost } from "../../../../portability/stage-host/index.js";
import { FakeStageHost } from "../../../support/fake-stage-host.js";
import { temporaryFolder } from "../../../support/temporary-folder.js";
import { topologyOf } from "../../../support/topologies.js";

const topology = topologyOf(
  [{ id: "numbers", outputs: ["n"] }, { id: "collect" }],
  [{ from: "numbers", pcollection: "n", to: "collect", grouping: "shuffle", coder: "int" }],
);

const deploy = (worker: number): ToWorker => ({
  type: "deploy",
  job: "job",
  generation: 1,
  token: "secret",
  worker,
  workers: 2,
  topology,
  options: DEFAULT_RUNTIME_OPTIONS,
  checkpoints: undefined,
});

/** A worker whose messages can be waited for. */
class Bench {
  readonly agent: WorkerAgent;
  private readonly said: FromWorker[] = [];
  private listener: () => void = () => {};

  constructor(index: number) {
    const host = new FakeStageHost({ numbers: () => {}, collect: () => {} });
    this.agent = new WorkerAgent(
      () => Promise.resolve(host),
      (message) => {
        this.said.push(message);
        this.listener();
      },
    );
    this.agent.receive(deploy(index));
  }

  async hear<T extends FromWorker["type"]>(type: T): Promise<Extract<FromWorker, { type: T }>> {
    for (;;) {
      const failed = this.said.find((message) => message.type === "failed");
      if (failed !== undefined) throw (failed as Extract<FromWorker, { type: "failed" }>).error;
      const message = this.said.find((each) => each.type === type);
      if (message !== undefined) return message as Extract<FromWorker, { type: T }>;
      await new Promise<void>((resolve) => (this.listener = resolve));
    }
  }
}

describe("WorkerAgent", () => {
  let workers: Bench[];
  beforeEach(() => (workers = [new Bench(0), new Bench(1)]));
  afterEach(async () => {
    for (const { agent } of workers) agent.receive({ type: "stop", isComplete: true });
    await Promise.all(workers.map((worker) => worker.hear("stopped")));
  });

  for (const [what, order] of [
    ["first", [1, 0]],
    ["last, when the others have dialled it already", [0, 1]],
  ] as const)
    it(`gets ready if the worker that is dialled is told to connect ${what}`, async () => {
      const addresses = await Promise.all(workers.map(async (worker) => (await worker.hear("listening")).address));
      const [early, late] = order.map((index) => workers[index]);
      early.agent.receive({ type: "connect", addresses });
      if (order[0] === 0) await early.hear("ready"); // its link is up at both ends
      late.agent.receive({ type: "connect", addresses });
      await Promise.all(workers.map((worker) => worker.hear("ready")));
      for (const { agent } of workers) agent.receive({ type: "start" });
      await Promise.all(workers.map((worker) => worker.hear("done")));
    });
});

describe("WorkerAgent, told to stop while it still opens something", () => {
  const folder = temporaryFolder();
  const systemFolder = process.env["TMPDIR"];
  beforeEach(() => (process.env["TMPDIR"] = folder.path));
  afterEach(() => {
    if (systemFolder === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = systemFolder;
  });

  const servers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "PipeWrap").length;

  it("closes its host", async () => {
    const host = new FakeStageHost({});
    let opened: (host: StageHost) => void = () => {};
    const stopped = new Promise<void>((resolve) => {
      const agent = new WorkerAgent(
        () => new Promise((open) => (opened = open)),
        ({ type }) => type === "stopped" && resolve(),
      );
      agent.receive(deploy(0));
      agent.receive({ type: "stop", isComplete: false });
    });
    await stopped;
    opened(host);
    await until(() => host.closed);
  });

  it("closes the address that others would reach it by", async () => {
    const before = servers();
    const made = new Promise<void>((resolve) => {
      const watcher = watch(folder.path, () => {
        watcher.close();
        resolve();
      });
    });
    const { agent } = new Bench(0);
    setImmediate(() => agent.receive({ type: "stop", isComplete: false }));
    await made;
    await until(async () => (await readdir(folder.path)).length === 0 && servers() === before);
  });
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("WorkerAgent, asked for snapshots", () => {
  const folder = temporaryFolder();

  it("does not hear of an epoch behind the next one, which barriers have told it of", async () => {
    const epochs: number[] = [];
    let told: (message: FromWorker) => void = () => {};
    const agent = new WorkerAgent(
      () => Promise.resolve(new FakeStageHost({ numbers: () => {}, collect: () => {} })),
      (message) => {
        if (message.type === "failed") throw message.error;
        if (message.type === "snapshotted") epochs.push(message.snapshot.epoch);
        told(message);
      },
    );
    const say = (message: ToWorker, answer: FromWorker["type"]): Promise<void> =>
      new Promise((resolve) => {
        told = ({ type }) => type === answer && resolve();
        agent.receive(message);
      });
    const checkpoints = { folder: folder.path, job: "job", from: undefined };
    await (await CheckpointFolder.open(folder.path)).goOn(undefined);
    await say(
      {
        type: "deploy",
        job: "job",
        generation: 1,
        token: "",
        worker: 0,
        workers: 1,
        topology,
        options: DEFAULT_RUNTIME_OPTIONS,
        checkpoints,
      },
      "listening",
    );
    await say({ type: "connect", addresses: [undefined] }, "ready");
    await say({ type: "start" }, "done");
    await say({ type: "checkpoint", epoch: 2 }, "snapshotted");
    agent.receive({ type: "checkpoint", epoch: 1 });
    await say({ type: "checkpoint", epoch: 3 }, "snapshotted");
    await say({ type: "stop", isComplete: false }, "stopped");
    assert.deepEqual(epochs, [2, 3]);
    assert.deepEqual(await readdir(join(folder.path, "pieces")), []);
  });
});
