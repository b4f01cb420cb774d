// Asking a service, by a clock that stands still until it is told. Catches calls that come too early, too often or not at all, responses that are kept too
// long, too many or for others, calls that nobody waits for and that go on, and failures that are nobody's.
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { local } from "../../../../local/index.js";
import { runPipeline } from "../../../../local/testing.js";
import { CancelledError, PermanentError, UserCodeError } from "../../../../portability/stage-host/index.js";
import { VirtualClock } from "../../../../runner/runtime/index.js";
import {
  create,
  enrich,
  map,
  pipeline,
  requestResponse,
  RequestTimeoutError,
  run,
  withFailures,
  type RequestOptions,
} from "../../../../sdk/index.js";
import { Requests } from "../../../../sdk/compositions/requests.js";
import { ResponseCache } from "../../../../sdk/compositions/response-cache.js";
import { TokenBucket } from "../../../../sdk/compositions/throttle.js";

/** Has time go on whenever nothing else happens, until `work` is done. */
async function driven<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let isDone = false;
  const settled = work.finally(() => (isDone = true));
  settled.catch(() => {});
  for (;;) {
    await turn();
    if (isDone) return await settled;
    clock.advanceToNext();
  }
}

/** A service that says when it was asked for what, and fails as it is told. */
function service(clock: VirtualClock, answer: (request: number, attempt: number) => string | Promise<string> = (n) => `r${n}`) {
  const asked: string[] = [];
  return {
    asked,
    call: async (request: number, { attempt }: { attempt: number }): Promise<string> => {
      asked.push(`${request}@${Math.round(clock.now())}`);
      return await answer(request, attempt);
    },
  };
}

const fail = (message: string): never => {
  throw new Error(message);
};

describe("requests", () => {
  let clock: VirtualClock;
  beforeEach(() => void (clock = new VirtualClock()));
  const noChance = { jitter: 0 };

  it("are tried again, after pauses that double up to a bound", async () => {
    const { asked, call } = service(clock, () => fail("busy"));
    const requests = new Requests(call, { clock, retry: { attempts: 6, backoffMs: 100, maxBackoffMs: 500, ...noChance } });
    await assert.rejects(driven(clock, Promise.resolve(requests.send(1))), /^Error: busy$/);
    assert.deepEqual(asked, ["1@0", "1@100", "1@300", "1@700", "1@1200", "1@1700"]);
  });

  it("leave a share of the pauses to chance", async () => {
    const pauses: number[] = [];
    for (const chance of [0, 0.5, 0.999]) {
      const { call } = service(clock, (_, attempt) => (attempt === 1 ? fail("busy") : "done"));
      const before = clock.now();
      const requests = new Requests(call, { clock, random: () => chance, retry: { backoffMs: 1000, jitter: 0.4 } });
      await driven(clock, Promise.resolve(requests.send(1)));
      pauses.push(Math.round(clock.now() - before));
    }
    assert.deepEqual(pauses, [1000, 800, 600]);
  });

  it("are not tried again where it would not help", async () => {
    for (const [error, retryIf] of [
      [new PermanentError("no"), undefined],
      [new RangeError("no"), (cause: unknown) => !(cause instanceof RangeError)],
    ] as const) {
      const { asked, call } = service(clock, () => Promise.reject(error));
      const requests = new Requests(call, { clock, retry: { ...(retryIf === undefined ? {} : { retryIf }) } });
      await assert.rejects(driven(clock, Promise.resolve(requests.send(1))), (cause) => cause === error);
      assert.equal(asked.length, 1);
    }
  });

  it("give up a call that takes too long, and tell it", async () => {
    const signals: AbortSignal[] = [];
    const never = (_: number, { signal }: { signal: AbortSignal }): Promise<string> => {
      signals.push(signal);
      return new Promise(() => {});
    };
    const requests = new Requests(never, { clock, timeoutMs: 250, retry: { attempts: 2, backoffMs: 50, ...noChance } });
    await assert.rejects(driven(clock, Promise.resolve(requests.send(1))), RequestTimeoutError);
    assert.equal(clock.now(), 550);
    assert.deepEqual(
      signals.map(({ aborted, reason }) => [aborted, (reason as Error).message]),
      [
        [true, "no response within 250 ms"],
        [true, "no response within 250 ms"],
      ],
    );
  });

  it("do not mind what comes of a call that was given up", async () => {
    let refuse: (error: Error) => void = () => {};
    const requests = new Requests(
      (_: number, { attempt }) =>
        attempt === 2 ? Promise.resolve("second") : new Promise<string>((_resolve, reject) => (refuse = reject)),
      {
        clock,
        timeoutMs: 10,
      },
    );
    assert.equal(await driven(clock, Promise.resolve(requests.send(1))), "second");
    refuse(new Error("too late"));
    await turn();
  });

  it("take turns, those that are tried again, too", async () => {
    const { asked, call } = service(clock, (n, attempt) => (n === 1 && attempt === 1 ? fail("busy") : "done"));
    const requests = new Requests(call, { clock, throttle: { perSecond: 10 }, retry: { backoffMs: 1, ...noChance } });
    await driven(clock, Promise.all([1, 2, 3].map(async (n) => await requests.send(n))));
    assert.deepEqual(asked, ["1@0", "2@100", "3@200", "1@300"]);
  });

  it("are answered from the cache while a response is good, and asked for once at a time", async () => {
    const { asked, call } = service(clock);
    const requests = new Requests(call, { clock, cache: { maxEntries: 2, ttlMs: 100, keyOf: (n) => n % 10 } });
    const [first, other] = [requests.send(1), requests.send(11)];
    assert.deepEqual(await driven(clock, Promise.all([first, other])), ["r1", "r1"]);
    assert.equal(requests.send(21), "r1", "at once");
    clock.advance(99);
    assert.equal(requests.send(1), "r1");
    clock.advance(1);
    assert.equal(await requests.send(31), "r31");
    assert.deepEqual(asked, ["1@0", "31@100"]);
  });

  it("are not held up by failures in the cache", async () => {
    let isUp = false;
    const requests = new Requests(async (n: number) => (await Promise.resolve(), isUp ? n : fail("down")), {
      clock,
      retry: { attempts: 1 },
      cache: { maxEntries: 9 },
    });
    const both = await Promise.allSettled([requests.send(1), requests.send(1)]);
    assert.deepEqual(
      both.map(({ status }) => status),
      ["rejected", "rejected"],
    );
    isUp = true;
    assert.equal(await requests.send(1), 1);
  });

  it("end with the task: nothing is called or waited for any more", async () => {
    let signal: AbortSignal | undefined;
    const busy = service(clock, () => fail("busy"));
    const waiting = new Requests(busy.call, { clock });
    const calling = new Requests((_: number, context) => ((signal = context.signal), new Promise<string>(() => {})), { clock });
    const outcomes = Promise.allSettled([waiting.send(1), calling.send(1)]);
    await turn();
    waiting.close();
    calling.close();
    assert.deepEqual(
      (await outcomes).map((outcome) => outcome.status === "rejected" && String(outcome.reason)),
      ["Error: the task is over", "Error: the task is over"],
    );
    assert.equal(signal?.aborted, true);
    assert.equal(clock.advanceToNext(), false, "somebody waits");
    await assert.rejects(async () => await waiting.send(2), /the task is over/);
    assert.equal(busy.asked.length, 1);
  });
});

describe("TokenBucket", () => {
  it("lets as many through in any time as it says, for all arrivals", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(500), { maxLength: 50 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 5 }),
        (gaps, perSecond, burst) => {
          const bucket = new TokenBucket({ perSecond, burst });
          let now = 0;
          const turns = gaps.map((gap) => (now += gap) + bucket.take(now));
          turns.forEach((from, i) => {
            // Of any run of n turns, the last is at least the time later in which n - burst tokens come.
            for (let j = i; j < turns.length; j++) {
              const least = ((j - i + 1 - burst) * 1000) / perSecond;
              assert.ok(turns[j] - from >= least - 1e-6, `${j - i + 1} within ${turns[j] - from} ms`);
            }
          });
          if (gaps.every((gap) => gap >= 1000 / perSecond))
            assert.ok(turns.length === 0 || turns.at(-1) === now, "who comes slowly waits for nobody");
        },
      ),
    );
  });
});

describe("ResponseCache", () => {
  it("is a map that forgets the one that was asked for the longest ago, for all sequences of requests", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(8), { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), async (keys, maxEntries) => {
        const cache = new ResponseCache<string>(maxEntries, Infinity, () => 0);
        let model: number[] = [];
        for (const key of keys) {
          let isLoaded = false;
          const response = await cache.get({ key }, () => ((isLoaded = true), Promise.resolve(`r${key}`)));
          assert.equal(response, `r${key}`);
          assert.equal(isLoaded, !model.includes(key));
          model = [...model.filter((other) => other !== key), key].slice(-maxEntries);
        }
      }),
    );
  });

  it("keeps keys apart that look alike", async () => {
    const cache = new ResponseCache<number>(10, Infinity, () => 0);
    let n = 0;
    const keys = ["1", 1, [1], ["1"], { a: 1 }, null, "null", true, 1n];
    for (const key of keys) await cache.get(key, () => Promise.resolve(n++));
    assert.equal(n, keys.length);
    assert.equal(
      cache.get({ a: 1 }, () => Promise.resolve(-1)),
      4,
    );
  });
});

describe("requestResponse", () => {
  const quick = { retry: { attempts: 2, backoffMs: 1 } };

  it("gives responses in the order of elements, no more under way than may be", async () => {
    let underWay = 0;
    let most = 0;
    const call = async (n: number): Promise<string> => {
      most = Math.max(most, ++underWay);
      for (let i = n % 3; i >= 0; i--) await turn();
      underWay--;
      return `r${n}`;
    };
    const numbers = Array.from({ length: 30 }, (_, n) => n);
    const found = await runPipeline((p) => p.apply(create(numbers)).apply(requestResponse(call, { concurrency: 4 })));
    assert.deepEqual(
      found,
      numbers.map((n) => `r${n}`),
    );
    assert.equal(most, 4);
  });

  it("waits by the clock that it is given, and takes no time", async () => {
    const clock = new VirtualClock();
    const { asked, call } = service(clock, (n, attempt) => (attempt === 1 ? fail("busy") : `r${n}`));
    const options = { clock, throttle: { perSecond: 1 }, retry: { backoffMs: 500, jitter: 0 } };
    const found = await driven(
      clock,
      runPipeline((p) => p.apply(create([1, 2])).apply(requestResponse(call, options))),
    );
    assert.deepEqual(found, ["r1", "r2"]);
    assert.deepEqual(asked, ["1@0", "2@1000", "1@2000", "2@3000"]);
  });

  it("makes dead letters of elements whose last call fails", async () => {
    let calls = 0;
    const call = async (n: number): Promise<string> => (calls++, await Promise.resolve(), n === 2 ? fail("unknown") : `r${n}`);
    const found = await runPipeline((p) => {
      const { output, failures } = p.apply(create([1, 2, 3])).apply(withFailures(requestResponse(call, quick)));
      return { output, failures: failures.apply(map(({ element, error }) => `${element}: ${error.message}`)) };
    });
    assert.deepEqual(found, { output: ["r1", "r3"], failures: ["2: unknown"] });
    assert.equal(calls, 4);
  });

  it("fails the run by the error of the last call where nobody takes dead letters", async () => {
    const build = pipeline((p) => p.apply(create([1])).apply(requestResponse("ask", () => Promise.reject(new PermanentError("closed")))));
    await assert.rejects(
      run(build, {}, local()),
      (error) => error instanceof UserCodeError && error.site.transform === "ask" && /closed/.test(error.message),
    );
  });

  it("waits for nobody when the run is cancelled", async () => {
    for (const guard of [false, true]) {
      const clock = new VirtualClock(); // which nobody drives: what waits would wait for ever
      const asked: number[] = [];
      const call = async (n: number): Promise<number> => {
        asked.push(n);
        await turn();
        if (n === 1) return await new Promise<never>(() => {});
        throw new Error("busy");
      };
      const ask = requestResponse("ask", call, { clock });
      const build = pipeline(
        (p) => void p.apply(create([1, 2])).apply((numbers) => (guard ? numbers.apply(withFailures(ask)).output : numbers.apply(ask))),
      );
      const running = await local().start(build, {});
      while (asked.length < 2) await turn();
      for (let i = 0; i < 5; i++) await turn();
      await running.cancel();
      await assert.rejects(running.result(), CancelledError);
      assert.deepEqual(asked, [1, 2]);
      assert.equal(clock.advanceToNext(), false, "somebody waits");
    }
  });

  it("keeps responses for a task as long as it runs", async () => {
    const asked: number[] = [];
    const call = async (n: number): Promise<number> => (asked.push(n), await Promise.resolve(n * 2));
    const options: RequestOptions<number> = { cache: { maxEntries: 10 } };
    const found = await runPipeline((p) => p.apply(create([1, 2, 1, 1, 2])).apply(requestResponse(call, options)), {
      runtime: { bundleElements: 1 },
    });
    assert.deepEqual(found, [2, 4, 2, 2, 4]);
    assert.deepEqual(asked, [1, 2]);
  });

  it("refuses limits that are none", () => {
    const call = (n: number): Promise<number> => Promise.resolve(n);
    const wrong: RequestOptions<number>[] = [
      { concurrency: 0 },
      { timeoutMs: 0 },
      { retry: { attempts: 0 } },
      { retry: { backoffMs: -1 } },
      { retry: { maxBackoffMs: Number.NaN } },
      { retry: { jitter: 1.5 } },
      { throttle: { perSecond: 0 } },
      { throttle: { perSecond: 1, burst: 0.5 } },
      { cache: { maxEntries: 0 } },
      { cache: { maxEntries: 1, ttlMs: 0 } },
    ];
    for (const options of wrong) assert.throws(() => requestResponse(call, options), RangeError, JSON.stringify(options));
    assert.throws(() => requestResponse("name" as never), TypeError);
  });
});

describe("enrich", () => {
  it("gives each element with its response", async () => {
    const found = await runPipeline((p) =>
      p
        .apply(create(["a", "bb"]))
        .apply(enrich((text) => Promise.resolve(text.length), { cache: { maxEntries: 1 } }))
        .apply(map(([text, length]) => `${text} ${length}`)),
    );
    assert.deepEqual(found, ["a 1", "bb 2"]);
  });
});
