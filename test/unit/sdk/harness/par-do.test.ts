import assert from "node:assert/strict";
import { UserCodeError } from "../../../../portability/stage-host/index.js";
import { MAX_TIMESTAMP, output, parDo, type Emit, type PCollection } from "../../../../sdk/index.js";
import { at, Deferred, runBundle, settle, StageDriver } from "../../../support/stage-driver.js";

type Numbers = PCollection<number>;

describe("parDo in the harness", () => {
  it("sends what `process` returns, emits, or both: emitted ones first", async () => {
    const found = await runBundle(
      (input: Numbers) =>
        input.apply(
          parDo({
            outputs: output<string>(),
            process(n, { emit }) {
              emit(`emitted ${n}`);
              return n === 1 ? ["returned"] : undefined;
            },
          }),
        ),
      [1, 2],
    );
    assert.deepEqual(found, ["emitted 1", "returned", "emitted 2"]);
  });

  it("sends to tagged outputs, with the element's meta or a timestamp of its own", async () => {
    const stage = await StageDriver.open((input: Numbers) =>
      input.apply(
        parDo({
          outputs: { even: output<number>(), odd: output<string>() },
          process(n, { emit, timestamp }) {
            if (n % 2 === 0) emit.even(n);
            else emit.odd(String(n), timestamp + 100);
          },
        }),
      ),
    );
    const meta = at(5);
    stage.sendAt(2, meta);
    stage.sendAt(3, meta);
    assert.deepEqual(stage.values("even"), [2]);
    assert.equal(stage.outputs.even[0].meta, meta);
    assert.deepEqual(stage.values("odd"), ["3"]);
    assert.equal(stage.outputs.odd[0].meta.timestamp, 105);
  });

  it("refuses to emit at a timestamp that is none", async () => {
    const stage = await StageDriver.open((input: Numbers) =>
      input.apply(parDo({ outputs: output<number>(), process: (n, { emit }) => emit(n, MAX_TIMESTAMP * 2) })),
    );
    assert.throws(() => stage.send(1), /a timestamp must be a number of milliseconds/);
  });

  it("calls setup, startBundle, process, finishBundle and teardown in this order, asynchronous ones too", async () => {
    for (const later of [false, true]) {
      const log: string[] = [];
      const step = (what: string): void | Promise<void> => {
        if (!later) return void log.push(what);
        return Promise.resolve().then(() => void log.push(what));
      };
      const stage = await StageDriver.open((input: Numbers) =>
        input.apply(
          parDo({
            setup: async () => {
              await step("setup");
              return "local";
            },
            startBundle: ({ local }) => step(`start ${local}`),
            process: (n: number, { local }) => step(`process ${n} ${local}`),
            finishBundle: ({ local }) => step(`finish ${local}`),
            teardown: ({ local }) => step(`teardown ${local}`),
          }),
        ),
      );
      for (const n of [1, 2]) {
        await stage.start();
        stage.send(n);
        await stage.finish();
      }
      await stage.close();
      const bundle = (n: number) => ["start local", `process ${n} local`, "finish local"];
      assert.deepEqual(log, ["setup", ...bundle(1), ...bundle(2), "teardown local"]);
    }
  });

  it("emits from finishBundle, behind everything else of the bundle", async () => {
    const pending = new Deferred<void>();
    const stage = await StageDriver.open((input: Numbers) =>
      input.apply(
        parDo({
          setup: () => ({ sum: 0 }),
          outputs: output<string>(),
          async process(n, { local, emit }) {
            await pending.promise;
            local.sum += n;
            emit(`n ${n}`);
          },
          async finishBundle({ local, emit }) {
            await Promise.resolve();
            emit(`sum ${local.sum}`, 77);
          },
        }),
      ),
    );
    stage.send(1, 2);
    const finished = stage.finish();
    pending.resolve();
    await finished;
    assert.deepEqual(stage.values(), ["n 1", "n 2", "sum 3"]);
    assert.equal(stage.outputs.out[2].meta.timestamp, 77);
  });

  it("keeps what a call emits until it is its turn, then sends it at once", async () => {
    const gates = new Map([1, 2].map((n) => [n, new Deferred<void>()]));
    const emits = new Map<number, Emit<string>>();
    const stage = await StageDriver.open((input: Numbers) =>
      input.apply(
        parDo({
          outputs: output<string>(),
          async process(n, { emit }) {
            emits.set(n, emit);
            emit(`${n} a`);
            await gates.get(n)?.promise;
            emit(`${n} z`);
          },
        }),
      ),
    );
    stage.send(1, 2);
    assert.deepEqual(stage.values(), ["1 a"], "the first call's go straight through");
    emits.get(2)?.("2 b");
    emits.get(1)?.("1 b");
    assert.deepEqual(stage.values(), ["1 a", "1 b"]);
    gates.get(1)?.resolve();
    await settle();
    assert.deepEqual(stage.values(), ["1 a", "1 b", "1 z", "2 a", "2 b"], "the second is first now, and has not settled");
    gates.get(2)?.resolve();
    await stage.finish();
    assert.deepEqual(stage.values().slice(5), ["2 z"]);
  });

  it("fails the bundle when something is emitted after its call has settled", async () => {
    let leaked: Emit<number> | undefined;
    for (const later of [false, true]) {
      const stage = await StageDriver.open((input: Numbers) =>
        input.apply(
          parDo("leaky", {
            outputs: output<number>(),
            process(_n, { emit }) {
              leaked = emit;
              return later ? Promise.resolve() : undefined;
            },
          }),
        ),
      );
      stage.send(1);
      await settle();
      assert.throws(() => leaked?.(5), /emitted after its call had settled in transform "leaky"/);
      await assert.rejects(async () => await stage.blocked(), UserCodeError);
      await assert.rejects(async () => await stage.finish(), /emitted after its call had settled/);
      assert.deepEqual(stage.values(), []);
    }
  });

  it("drops what calls emit that are still running when the bundle is aborted", async () => {
    let emitted: Emit<number> | undefined;
    const stage = await StageDriver.open((input: Numbers) =>
      input.apply(
        parDo({
          outputs: output<number>(),
          process(_n, { emit }) {
            emitted = emit;
            return new Promise<void>(() => undefined);
          },
        }),
      ),
    );
    stage.send(1);
    stage.abort();
    emitted?.(1);
    assert.deepEqual(stage.values(), []);
  });

  it("runs async generators, which may emit too, one after the other", async () => {
    const found = await runBundle(
      (input: Numbers) =>
        input.apply(
          parDo({
            outputs: output<string>(),
            async *process(n, { emit }) {
              emit(`${n} emitted`);
              await Promise.resolve();
              yield `${n} yielded`;
              emit(`${n} emitted later`);
            },
          }),
        ),
      [1, 2, 3],
    );
    assert.deepEqual(
      found,
      [1, 2, 3].flatMap((n) => [`${n} emitted`, `${n} yielded`, `${n} emitted later`]),
    );
  });

  it("runs generators with the context of their element, across pauses", async () => {
    const stage = await StageDriver.open((input: Numbers) =>
      input.apply(
        parDo({
          outputs: output<number>(),
          *process(_n, context) {
            for (let i = 0; i < 600; i++) yield context.timestamp;
          },
        }),
      ),
    );
    stage.paused = true;
    stage.sendAt(0, at(1));
    stage.sendAt(0, at(2));
    const finished = stage.finish();
    stage.unpause();
    await finished;
    assert.deepEqual(stage.values(), [...Array.from({ length: 600 }, () => 1), ...Array.from({ length: 600 }, () => 2)]);
  });

  for (const step of ["setup", "startBundle", "process", "finishBundle", "teardown"] as const)
    for (const how of ["throws", "rejects"] as const)
      it(`reports that ${step} ${how}`, async () => {
        const fail = (): Promise<undefined> => {
          if (how === "throws") throw new Error("no");
          return Promise.reject(new Error("no"));
        };
        const run = async (): Promise<void> => {
          const stage = await StageDriver.open((input: Numbers) =>
            input.apply(parDo("failing", { process: () => undefined, [step]: fail })),
          );
          await stage.start();
          stage.send(1);
          await stage.finish();
          await stage.close();
        };
        await assert.rejects(run, (error: unknown) => {
          assert.ok(error instanceof UserCodeError, String(error));
          assert.equal(error.site.transform, "failing");
          assert.match(error.message, /failing": no$/);
          return true;
        });
      });
});
