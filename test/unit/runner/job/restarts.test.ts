// Jobs with checkpoints that lose workers at awkward moments. Catches losses that nobody hears of, restarts without end, and jobs that hang.
import assert from "node:assert/strict";
import { inProcessLauncher, runJob, type WorkerLauncher, type WorkerPortListener } from "../../../../runner/index.js";
import { FakeStageHost } from "../../../support/fake-stage-host.js";
import { temporaryFolder } from "../../../support/temporary-folder.js";
import { topologyOf } from "../../../support/topologies.js";

const topology = topologyOf(
  [{ id: "numbers", outputs: ["n"] }, { id: "collect" }],
  [{ from: "numbers", pcollection: "n", to: "collect", grouping: "shuffle", coder: "int" }],
);

/** When worker 0 of a generation dies. */
type Death = "while others are being started" | "when it is told to start" | undefined;

describe("a job with checkpoints that loses workers", () => {
  const folder = temporaryFolder();
  let seen: number[];
  beforeEach(() => (seen = []));

  /** Worker 0 of each generation dies as it is said, the first generation first. */
  function launcher(deathOf: (generation: number) => Death): WorkerLauncher {
    const host = (): FakeStageHost =>
      new FakeStageHost({
        numbers: (_value, meta, emit) => {
          for (let i = 0; i < 10; i++) emit(i, meta);
        },
        collect: (value) => void seen.push(value as number),
      });
    const inner = inProcessLauncher(host);
    let generation = 0;
    return {
      async launch(index) {
        if (index === 0) generation++;
        const death = index === 0 ? deathOf(generation) : undefined;
        const port = await inner.launch(index);
        if (index > 0) for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
        let listener: WorkerPortListener;
        let isDead = false;
        const die = (): void => {
          isDead = true;
          port.send({ type: "stop", isComplete: false });
          listener.exited("a test");
        };
        return {
          name: port.name,
          listen(given) {
            listener = given;
            port.listen({ message: (message) => isDead || given.message(message), exited: (how) => given.exited(how) });
            if (death === "while others are being started") setImmediate(die);
          },
          send(message) {
            if (isDead) return;
            if (message.type === "start" && death === "when it is told to start") setImmediate(die);
            else port.send(message);
          },
          close: () => port.close(),
        };
      },
    };
  }

  const run = (deathOf: (generation: number) => Death) => {
    const checkpoints = { folder: folder.path, intervalMs: 5, fingerprint: "f" };
    return runJob(topology, { launcher: launcher(deathOf), workers: 2, checkpoints });
  };

  const deaths = ["while others are being started", "when it is told to start"] as const;
  for (const first of deaths)
    for (const second of deaths)
      it(`goes on if one dies ${first}, and another one ${second}`, async () => {
        const job = run((generation) => [first, second][generation - 1]);
        await job.result;
        assert.equal(job.state, "DONE");
        assert.deepEqual(
          [...seen].sort((a, b) => a - b),
          [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        );
      });

  for (const death of deaths)
    it(`gives up when it comes no further, if one always dies ${death}`, async () => {
      let generations = 0;
      const job = run((generation) => {
        generations = generation;
        return death;
      });
      await assert.rejects(job.result, /worker 0 is gone: a test/);
      assert.equal(generations, 6);
    });

  it("may be cancelled while it begins anew", async () => {
    const job = run((generation) => {
      if (generation === 2) void job.cancel();
      return "while others are being started";
    });
    await assert.rejects(job.result, /cancelled/);
  });
});
