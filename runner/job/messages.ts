// What a job's coordinator and its workers say to each other. Plain values throughout; message-codec.ts turns the two that
// hold more (a topology, an error) into JSON for workers in other processes.
//
// The exchange, for each worker:
//
//   coordinator                     worker
//   deploy  ──────────────────────►
//           ◄────────────────────── listening     where other workers reach it
//   connect ──────────────────────►               all of them are listening
//           ◄────────────────────── report …      twice a second, from here on and with done
//           ◄────────────────────── ready         links are up, user code is set up
//   start   ──────────────────────►               all of them are ready
//   drain   ──────────────────────►               at any time behind ready, once: sources are to end; nobody answers
//           ◄────────────────────── retries …     a bundle has failed and is tried again; at most so many times
//   checkpoint ───────────────────►               an epoch begins; one at a time
//           ◄────────────────────── checkpoint-wanted   tasks wait for nothing else: the next one should not take long
//           ◄────────────────────── snapshotted   it is on the disk, with all of the worker's tasks
//   published ────────────────────►               with all tasks of the job; the next one may begin
//           ◄────────────────────── done          all of its tasks are
//   stop    ──────────────────────►               at any time, also instead of any of the above
//           ◄────────────────────── stopped
//
// A worker that fails says so once, at any time, and waits for stop.
import type { Manifest } from "../checkpoint/index.js";
import type { RuntimeOptions, TaskCounts } from "../runtime/index.js";
import type { Topology } from "../topology/index.js";
import type { WorkerSnapshot } from "./task-snapshots.js";

/** @internal */
export interface DeployMessage {
  readonly type: "deploy";
  readonly job: string;
  readonly generation: number;
  /** Secret that workers of this job show each other. */
  readonly token: string;
  readonly worker: number;
  readonly workers: number;
  readonly topology: Topology;
  readonly options: RuntimeOptions;
  /** Where snapshots go, and what tasks go on from; undefined where there are no checkpoints. */
  readonly checkpoints: { readonly folder: string; readonly job: string; readonly from: Manifest | undefined } | undefined;
}

/** @internal */
export type ToWorker =
  | DeployMessage
  | {
      readonly type: "connect";
      /** Link address of each worker, by index; undefined where there is only one. */
      readonly addresses: readonly (string | undefined)[];
    }
  | { readonly type: "start" }
  | { readonly type: "drain" }
  | { readonly type: "checkpoint"; readonly epoch: number }
  | { readonly type: "published"; readonly epoch: number }
  | {
      readonly type: "stop";
      /** Whether the job has come to its end, so that nobody will go on with it. */
      readonly isComplete: boolean;
    };

/** What a task waits for, for people. */
export interface TaskWait {
  readonly task: string;
  readonly waitsFor: string;
}

/** @internal */
export interface WorkerReport {
  readonly tasks: readonly TaskCounts[];
  /** Nothing can run before something arrives, and no user code is at work. */
  readonly idle: boolean;
  /** Changes whenever anything happens. */
  readonly turns: number;
  readonly framesSent: number;
  readonly framesReceived: number;
  readonly waits: readonly TaskWait[];
  /** What the epoch under way waits for here, for people. */
  readonly epochWaitsFor: readonly string[];
}

/** @internal */
export type FromWorker =
  | { readonly type: "listening"; readonly address: string | undefined }
  | { readonly type: "ready" }
  | { readonly type: "report"; readonly report: WorkerReport }
  /** Something that people should know. */
  | { readonly type: "warning"; readonly text: string }
  | { readonly type: "retries"; readonly task: string; readonly error: string }
  | { readonly type: "snapshotted"; readonly snapshot: WorkerSnapshot }
  | { readonly type: "checkpoint-wanted" }
  | { readonly type: "done"; readonly report: WorkerReport }
  | { readonly type: "failed"; readonly error: unknown }
  | { readonly type: "stopped" };
