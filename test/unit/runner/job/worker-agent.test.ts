// The steps of starting a job, in orders that messages between processes may arrive in.
import { WorkerAgent, type FromWorker } from "../../../../runner/index.js";
import { DEFAULT_RUNTIME_OPTIONS } from "../../../../runner/runtime/index.js";
import { FakeStageHost } from "../../../support/fake-stage-host.js";
import { topologyOf } from "../../../support/topologies.js";

const topology = topologyOf(
  [{ id: "numbers", outputs: ["n"] }, { id: "collect" }],
  [{ from: "numbers", pcollection: "n", to: "collect", grouping: "shuffle", coder: "int" }],
);

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
    this.agent.receive({
      type: "deploy",
      job: "job",
      generation: 1,
      token: "secret",
      worker: index,
      workers: 2,
      topology,
      options: DEFAULT_RUNTIME_OPTIONS,
    });
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
    for (const { agent } of workers) agent.receive({ type: "stop" });
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
