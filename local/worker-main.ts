// A worker process of the local runner. Its parent says which program to load, then speaks as a coordinator to a worker
// (runner/job/messages.ts). It ends when the parent disconnects, be it because the job is over or because the parent died.
import { decodeToWorker, encodeFromWorker, WorkerAgent, type FromWorker } from "../runner/index.js";
import { loadHost, type ProgramSpec } from "./load-program.js";

function send(message: FromWorker): void {
  if (process.connected) process.send!(encodeFromWorker(message), undefined, undefined, () => {});
}

process.once("message", (first) => {
  const { program } = first as { program: ProgramSpec };
  const agent = new WorkerAgent(() => loadHost(program), send);
  process.on("message", (message) => agent.receive(decodeToWorker(message)));
});

// Errors outside of any task, e.g. in a callback that user code left behind: they end the job, not silently the process.
process.on("uncaughtException", (error) => send({ type: "failed", error }));
process.on("disconnect", () => process.exit(0));
// Ctrl-C reaches the whole process group; the parent decides what it means.
process.on("SIGINT", () => {});
