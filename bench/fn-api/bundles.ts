// The runner's side of the Fn API, fed by hand: a stage at a harness, and bundles of it.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { StageContext, StageDescriptor } from "../../portability/stage-host/index.js";
import { IMPULSE_META, type Receiver } from "../../portability/values/index.js";
import { planBundles } from "../../runner/bundles/bundle-descriptor.js";
import { FnServer, Harness } from "../../runner/bundles/index.js";
import { RemoteExecutor } from "../../runner/bundles/remote-executor.js";
import { CODERS, VALUE, valueOf } from "./elements.js";

export type Kind = "drop" | "back" | "make";

const pcollection = { coderId: "bytes", windowingStrategyId: "global" };

function stageOf(kind: Kind): StageDescriptor {
  const outputs = kind === "drop" ? [] : ["out"];
  return {
    id: kind,
    environmentId: "bench",
    inputs: ["in"],
    sideInputs: [],
    outputs,
    transformIds: [kind],
    components: {
      transforms: {
        [kind]: {
          uniqueName: kind,
          spec: { urn: "beam:transform:pardo:v1" },
          inputs: { in: "in" },
          outputs: kind === "drop" ? {} : { out: "out" },
        },
      },
      pcollections: { in: pcollection, out: pcollection },
      windowingStrategies: { global: { windowCoderId: "window" } },
      coders: CODERS,
    },
  };
}

/** Feeds bundles to a stage of the harness; gives the number of elements that came back. */
export async function runBundles(kind: Kind, bundles: number, elementsOfEach: number): Promise<number> {
  const server = await FnServer.open();
  const harness = new Harness("bench", "the harness", {}, () => {});
  server.services.add(harness);
  const program = fileURLToPath(new URL("./harness.js", import.meta.url));
  const child = spawn(process.execPath, [program, server.url, harness.workerId], { stdio: ["ignore", "inherit", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  try {
    await harness.ready(30_000);
    let received = 0;
    const receive: Receiver = () => void received++;
    const context: StageContext = {
      outputs: new Map(kind === "drop" ? [] : [["out", receive]]),
      sideInputs: new Map(),
      shouldPause: () => false,
      resume: () => Promise.resolve(),
    };
    const stage = stageOf(kind);
    const plan = planBundles(stage, kind, server.url);
    harness.addDescriptor(plan.descriptor);
    const executor = new RemoteExecutor(harness, stage, plan, context, undefined);
    const send = executor.receiver("in");
    const count = kind === "make" ? 1 : elementsOfEach;
    const value = kind === "make" ? valueOf(String(elementsOfEach)) : VALUE;
    for (let bundle = 0; bundle < bundles; bundle++) {
      executor.startBundle();
      for (let i = 0; i < count; i++) {
        send(value, IMPULSE_META);
        const blocked = executor.blocked();
        if (blocked !== undefined) await blocked;
      }
      await executor.finishBundle();
    }
    return received;
  } finally {
    harness.close();
    await ended;
    await server.close();
  }
}
