// Where a process can be made to die in the midst of a checkpoint, for tests of what is left behind then.
//
// BEAMSTORM_CRASH_AT is `STEP:COUNT:FILE`, or several of that with commas: the process that comes to the step for the COUNT-th time kills itself by
// SIGKILL, if it can create FILE; so of all processes of a job, and of those that take their place, one dies. Without the variable a crash point is
// the test whether a list is empty.
import { writeFileSync } from "node:fs";

/** The steps, by who comes to them. */
export const CRASH_STEPS = {
  /** What each worker does. */
  worker: [
    "restoring", // some state has been read
    "frozen", // a task has been
    "piece-begun", // some bytes of a piece are written
    "piece-complete", // all of them are, and the file does not have its name yet
    "piece-renamed",
    "snapshotted", // the coordinator is told
    "published", // a worker has heard of it, and its tasks have done what waited for it
  ],
  /** What the coordinator does. */
  coordinator: [
    "job-named", // in a file that does not have its name yet
    "generation-begun",
    "gone-on", // the generation has said from where
    "manifest-complete", // and does not have its name yet
    "manifest-renamed",
    "announcing",
    "announced",
    "tidying", // a file has been deleted
    "tidied",
    "merging", // pieces have been read and written as one, which does not have its name yet
    "merged",
    "completing", // the last epoch has been published
  ],
} as const;

export type CrashStep = (typeof CRASH_STEPS)["worker" | "coordinator"][number];

interface WantedCrash {
  readonly step: string;
  readonly file: string;
  /** Times until then. */
  left: number;
}

const wanted = (process.env.BEAMSTORM_CRASH_AT ?? "").split(",").filter(Boolean).map(readWanted);

/** The process is at this step. */
export function crashPoint(step: CrashStep): void {
  for (const crash of wanted) if (crash.step === step && --crash.left <= 0) die(crash.file);
}

function die(file: string): void {
  try {
    writeFileSync(file, `${process.pid}\n`, { flag: "wx" });
  } catch {
    return; // another one has died
  }
  process.kill(process.pid, "SIGKILL");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); // in a thread, nothing more is done while the signal comes
}

function readWanted(text: string): WantedCrash {
  const [step, left, ...file] = text.split(":");
  return { step, left: Number(left), file: file.join(":") };
}
