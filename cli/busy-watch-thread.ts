// The thread of busy-watch.ts.
import { writeSync } from "node:fs";
import { Session } from "node:inspector";
import { setTimeout as sleep } from "node:timers/promises";
import { workerData } from "node:worker_threads";
import { firstAuthorFrame } from "../sdk/model/author-site.js";
import { BEATS, DEFAULT_SIGNALS, STUCK_EVENT, type BusyWatchData } from "./busy-watch.js";

/** Without a beat for this long, signals are to end the process. */
const STUCK_MS = 1500;
const LOOK_EVERY_MS = 250;

const { shared, warnAfterMs } = workerData as BusyWatchData;

let beats = -1;
let since = performance.now();
let warned = false;
for (;;) {
  await sleep(LOOK_EVERY_MS);
  const now = Atomics.load(shared, BEATS);
  if (now !== beats) {
    beats = now;
    since = performance.now();
    warned = false;
    continue;
  }
  const stuckMs = performance.now() - since;
  if (stuckMs >= STUCK_MS && Atomics.load(shared, DEFAULT_SIGNALS) === 0) await interrupt(`process.emit("${STUCK_EVENT}")`);
  if (stuckMs < warnAfterMs || warned) continue;
  warned = true;
  const stack = await interrupt("new Error().stack");
  const line = stack === undefined ? undefined : firstAuthorFrame(stack);
  const where = line === undefined ? "" : ` at ${line}`;
  writeSync(
    2,
    `warn: a function has kept the process busy for ${Math.round(stuckMs / 1000)} s without a break${where}; Ctrl-C ends it at once\n`,
  );
}

/** Evaluates an expression in the midst of whatever the main thread is doing. */
function interrupt(expression: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const session = new Session();
    const done = (value?: string): void => {
      clearTimeout(timer);
      session.disconnect();
      resolve(value);
    };
    const timer = setTimeout(done, 2000); // it went on by itself meanwhile, and is not to be paused later
    session.connectToMainThread();
    session.on("Debugger.paused", ({ params: { callFrames } }) => {
      session.post("Debugger.evaluateOnCallFrame", { callFrameId: callFrames[0].callFrameId, expression }, (_, answer) => {
        const value: unknown = answer?.result.value;
        session.post("Debugger.resume", () => done(typeof value === "string" ? value : undefined));
      });
    });
    session.post("Debugger.enable", () => session.post("Debugger.pause"));
  });
}
