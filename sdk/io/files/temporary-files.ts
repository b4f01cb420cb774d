// How a write knows the temporary files that are its run's own, and of those the ones that nobody refers to any more.
//
// - T1. A file that elements refer to carries the epoch in which they are put out: a run that goes on from that epoch or a later one has the
//   elements, any other one makes them anew. So what carries a later epoch than the one a run goes on from, and was made by a run before it,
//   is an orphan.
// - T2. A file that no element refers to, because the call that began it also publishes it, is an orphan as soon as its run is over.
// - T3. Orphans are looked for once in each process of a run that goes on, before the run starts: no epoch can end before they are gone.
// - T4. A run that has come to its end refers to nothing: whatever of the job is left then are orphans, such as files of a bundle that failed.
// - T5. Marks of other jobs, and files without a mark, are nobody's business here.
import type { RunCheckpoints } from "../../../portability/stage-host/index.js";
import type { SetupContext } from "../../model/do-fn.js";
import { folderOf } from "./file-names.js";
import type { WriteTarget } from "./write-target.js";

/** In place of an epoch, for T2. */
const NO_EPOCH = "x";

/** The marks of the temporary files of one run; none where there are no checkpoints, since nobody looks for them then. */
export class RunMarks {
  constructor(private readonly checkpoints: RunCheckpoints | undefined) {}

  /** For a file that elements will refer to (T1). */
  get referred(): string | undefined {
    return this.mark(this.checkpoints?.epoch() ?? NO_EPOCH);
  }

  /** For a file that will be published, or abandoned, by who begins it (T2). */
  get passing(): string | undefined {
    return this.mark(NO_EPOCH);
  }

  /** Whether it is one that nobody refers to, in a run that goes on (T1, T2). */
  isOrphan(mark: string): boolean {
    if (this.checkpoints === undefined || !this.isOfJob(mark)) return false;
    const [, generation, epoch] = mark.split(".");
    return Number(generation) < this.checkpoints.generation && (epoch === NO_EPOCH || Number(epoch) > this.checkpoints.from);
  }

  isOfJob(mark: string): boolean {
    return this.checkpoints !== undefined && mark.startsWith(`${this.checkpoints.job}.`);
  }

  private mark(epoch: number | string): string | undefined {
    return this.checkpoints && `${this.checkpoints.job}.${this.checkpoints.generation}.${epoch}`;
  }
}

/** What one write leaves in this process, and what runs before have left of it. */
export class Leftovers {
  /** T3: by the generation that has looked for them. */
  private readonly found = new Map<number, Promise<void>>();

  constructor(private readonly target: WriteTarget<never>) {}

  /**
   * To be called by each `setup` that makes temporary files.
   *
   * @param removeAll removes the files that this process has made and that nobody has published
   */
  async begin({ checkpoints, atEnd }: SetupContext, removeAll: () => Promise<void>): Promise<void> {
    atEnd(async ({ isComplete }) => {
      if (checkpoints === undefined || isComplete) await removeAll();
      if (checkpoints !== undefined && checkpoints.generation > 1 && isComplete) await this.sweepOnce(checkpoints, true); // T4
    });
    if (checkpoints !== undefined && checkpoints.generation > 1) await this.sweepOnce(checkpoints, false);
  }

  private sweepOnce(checkpoints: RunCheckpoints, isComplete: boolean): Promise<void> {
    const id = isComplete ? -checkpoints.generation : checkpoints.generation;
    let sweeping = this.found.get(id);
    if (sweeping === undefined) this.found.set(id, (sweeping = this.sweep(checkpoints, isComplete)));
    return sweeping;
  }

  private async sweep(checkpoints: RunCheckpoints, isComplete: boolean): Promise<void> {
    const { files, path, destination, nameOf } = this.target;
    const marks = new RunMarks(checkpoints);
    const isLeft = isComplete ? (mark: string) => marks.isOfJob(mark) : (mark: string) => marks.isOrphan(mark);
    const isDeep = destination !== undefined || nameOf !== undefined;
    const stem = destination === undefined ? path : path.slice(0, path.indexOf("*"));
    try {
      await files.sweep(folderOf(stem), isDeep, isLeft);
    } catch (cause) {
      throw files.failure("write", path, cause);
    }
  }
}
