import assert from "node:assert/strict";
import type { beam } from "../../../../portability/protos/index.js";
import { HarnessLostError, RemoteStageHost } from "../../../../runner/bundles/index.js";
import { inProcessLauncher, planPipeline, runJob } from "../../../../runner/index.js";
import { FakeWorkerPool, type FakeHarness, type FakeTransform } from "../../../support/fake-harness.js";
import { describeRemote, grouping, sumsByKey } from "../../../support/remote-jobs.js";

describeRemote("RemoteStageHost, when something fails", (jobs) => {
  it("fails the job with the transform and what the SDK said", async () => {
    const job = await jobs.start(grouping(), {
      ...sumsByKey(new Map(), 10),
      key: () => {
        throw new Error("division by zero [while running 'key by letter']");
      },
    });
    await assert.rejects(job.result, { name: "UserCodeError", message: /in transform "key by letter": Traceback: division by zero/ });
    assert.deepEqual(jobs.pool.stopped.length, 1);
  });

  it("tries the bundle again at the same harness, and shows nothing of what has failed", async () => {
    const sums = new Map<string, number>();
    const functions = sumsByKey(sums, 10);
    let failures = 0;
    const job = await jobs.start(
      grouping(),
      {
        ...functions,
        key: (value, meta, emit, more) => {
          void functions["key"](value, meta, emit, more);
          if (value === 7 && failures++ < 2) throw new Error("not yet");
        },
      },
      { runtime: { retryDelayMs: 0 } },
    );
    const { components } = await job.result;
    assert.deepEqual(
      [...sums.values()].sort((a, b) => a - b),
      [12, 15, 18],
    );
    assert.equal(
      components.reduce((sum, { retries }) => sum + retries, 0),
      2,
    );
    assert.equal(jobs.pool.stopped.length, 1);
  });

  const never = (): Promise<void> => new Promise(() => {});

  /** How a harness can be lost, and what it does then with the element that it has. */
  const losses: Record<string, (harness: FakeHarness, instructionId: string) => void | Promise<void>> = {
    "is gone": (harness) => {
      harness.die();
      return never();
    },
    "says nothing any more": (harness) => {
      harness.fallSilent();
      return never();
    },
    "sends what nobody can read": (harness, instructionId) =>
      harness.sendRaw({ data: [{ instructionId, transformId: harness.sinks[0], data: Buffer.from([1, 2, 3]) }] }),
    "answers with something else": (harness, instructionId) => {
      harness.answerRaw({ instructionId, register: {} });
      return never();
    },
  };

  for (const [how, lose] of Object.entries(losses)) {
    it(`does the bundle again at another harness when the one that has it ${how}`, async () => {
      const sums = new Map<string, number>();
      const functions = sumsByKey(sums, 10);
      let lost = 0;
      const job = await jobs.start(
        grouping(),
        {
          ...functions,
          key: (value, meta, emit, more) => {
            void functions["key"](value, meta, emit, more);
            if (value !== 7 || lost++ > 0) return;
            return lose(more.harness, more.instructionId);
          },
        },
        { silenceMs: 200 },
      );
      await job.result;
      assert.deepEqual(
        [...sums.values()].sort((a, b) => a - b),
        [12, 15, 18],
      );
      assert.equal(jobs.pool.harnesses.length, 2);
      assert.deepEqual(
        jobs.pool.stopped,
        jobs.pool.harnesses.map(({ workerId }) => workerId),
      );
    });

    it(`fails the job when every harness that has the bundle ${how}`, async () => {
      const job = await jobs.start(
        grouping(),
        {
          ...sumsByKey(new Map(), 10),
          key: (_value, _meta, _emit, { harness, instructionId }) => lose(harness, instructionId),
        },
        { silenceMs: 200 },
      );
      await assert.rejects(
        job.result,
        ({ name, message, cause }: Error) =>
          name === "UserCodeError" &&
          /^the work was lost in transform "numbers, key": the SDK harness of environment "remote" .*4 attempts\)$/.test(message) &&
          cause instanceof HarnessLostError,
      );
      assert.equal(jobs.pool.harnesses.length, 4);
      assert.equal(jobs.pool.stopped.length, 4);
    });
  }

  it("fails the job when a harness is gone and its pool with it", async () => {
    const job = await jobs.start(grouping(), {
      ...sumsByKey(new Map(), 10),
      key: () => {
        void jobs.pool.close();
        return new Promise(() => {});
      },
    });
    await assert.rejects(job.result, /environment "remote" .*; another one cannot be had: the worker pool at .* has not started a worker/);
  });

  it("leaves a harness alone that answers, however long its work takes, and tells what it says of itself", async () => {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    const logged: string[] = [];
    const onLog = ({ message }: beam.fn.ILogEntry): void => {
      logged.push(message!);
      release();
    };
    const functions: Record<string, FakeTransform> = {
      ...sumsByKey(new Map(), 1),
      key: async (_value, _meta, _emit, { harness }) => {
        void harness.report("sleeping in line 7");
        await released;
      },
    };
    const job = await jobs.start(grouping(), functions, { silenceMs: 100, onLog });
    await job.result;
    assert.match(
      logged[0],
      /^the SDK harness of environment "remote" has worked for 0\.1 s without a result; it says:\nsleeping in line 7$/,
    );
    assert.equal(jobs.pool.harnesses.length, 1);
  });

  it("fails the job when a worker that its pool has started never connects", async () => {
    const job = await jobs.start(grouping(), {}, { connects: false });
    await assert.rejects(job.result, /environment "remote" has not connected within 0.05 s/);
    assert.equal(jobs.pool.stopped.length, 1);
  });

  it("fails the job when nobody listens at the pool's address", async () => {
    const p = grouping();
    const pool = await FakeWorkerPool.open({});
    p.environments["remote"] = pool.environment;
    await pool.close();
    const launcher = inProcessLauncher(() => new RemoteStageHost({ jobId: "j", server: jobs.server }));
    const job = runJob(planPipeline(p.build(), { parallelism: 1 }), { launcher });
    await assert.rejects(job.result, /the worker pool at .* has not started a worker/);
  });

  it("can be cancelled while a bundle goes on for ever", async () => {
    let reached = (): void => {};
    const running = new Promise<void>((resolve) => (reached = resolve));
    const job = await jobs.start(grouping(), {
      ...sumsByKey(new Map(), 1),
      key: () => {
        reached();
        return new Promise(() => {});
      },
    });
    await running;
    await job.cancel();
    assert.equal(job.state, "CANCELLED");
    await jobs.pool.harnesses[0].ended;
  });
});
