// A worker process of the local runner. Its parent says which program to load, then speaks as a coordinator to a worker
// (runner/job/messages.ts). It ends when the parent disconnects, be it because the job is over or because the parent died. Once stopped it may be told
// to work again, from the beginning: that is another worker, in the process of one that is no more.
//
// It imports what it needs of the runner file by file: what leads jobs would be loaded in vain.
import { decodeToWorker, encodeFromWorker } from "../runner/job/message-codec.js";
import type { FromWorker } from "../runner/job/messages.js";
import { WorkerAgent } from "../runner/job/worker-agent.js";
import { loadHost, type ProgramSpec } from "./load-program.js";
import { keepObjectsYoung } from "./young-objects.js";

keepObjectsYoung();

function send(message: FromWorker): void {
  if (process.connected) process.send!(encodeFromWorker(message), undefined, undefined, () => {});
}

process.once("message", (first) => {
  const { program } = first as { program: ProgramSpec };
  const begin = (): WorkerAgent => {
    const own = new WorkerAgent(
      () => loadHost(program),
      (message) => {
        if (own !== agent) return; // it has stopped
        if (message.type === "stopped") agent = begin();
        send(message);
      },
    );
    return own;
  };
  let agent = begin();
  process.on("message", (message) => agent.receive(decodeToWorker(message)));
});

// Errors outside of any task, e.g. in a callback that user code left behind: they end the job, not silently the process.
process.on("uncaughtException", (error) => send({ type: "failed", error }));
process.on("disconnect", () => process.exit(0));
// Ctrl-C reaches the whole process group, and what ends a service all of its processes: the parent decides what it means.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
