import { CheckpointReader, crashPoint, ReadRoom, type Manifest, type TaskMark } from "../checkpoint/index.js";
import { readSourceMark, type SourceMark } from "../runtime/index.js";
import { NO_GROUP, SHARED_GROUP, type SnapshotPart } from "../snapshot/index.js";
import { taskOfKeyGroup } from "../store/index.js";
import type { TaskPlacement } from "./deployment-plan.js";
import { partName } from "./task-snapshots.js";

/**
 * What tasks go on from: the checkpoint of another run, of this job.
 *
 * - R1. A key group's state goes to the task that owns the key group now; what belongs to no key goes to the task of the same index, or, where
 *   there are fewer tasks now, goes round them.
 * - R2. The tasks of a component go on from the least of their watermarks: they differ only where inputs were idle, or elements keep their place.
 * - R3. A component has come to its end when all of its tasks had.
 */
export class RestoredState {
  private constructor(
    readonly manifest: Manifest,
    private readonly reader: CheckpointReader,
  ) {}

  /** @throws CorruptPieceError */
  static async open(folder: string, manifest: Manifest): Promise<RestoredState> {
    return new RestoredState(manifest, await CheckpointReader.open(folder, manifest));
  }

  /** R2 */
  watermarkOf(component: string): number {
    return this.marksOf(component).reduce((least, { inputWatermark }) => Math.min(least, inputWatermark), Infinity);
  }

  /** R3 */
  isOver(component: string): boolean {
    return this.marksOf(component).every(({ isDone }) => isDone);
  }

  /** Where the reader of a source's task was. */
  async sourceMarkOf({ component, index }: TaskPlacement): Promise<SourceMark | undefined> {
    const part = partName({ component: component.id, index }, "source", NO_GROUP);
    return readSourceMark(await this.reader.records({ part, group: NO_GROUP }));
  }

  /** Gives parts of a task what they had (R1). @throws CorruptPieceError, CoderError */
  async restore({ component, index }: TaskPlacement, parts: readonly SnapshotPart[]): Promise<void> {
    const { id, parallelism } = component;
    const watermark = this.watermarkOf(id);
    const { parallelism: before, since } = this.manifest.components.find((each) => each.id === id) ?? { parallelism, since: 0 };
    const owners = taskOfKeyGroup(this.manifest.keyGroups, parallelism);
    for (const part of parts) {
      if (part.isShared === true) continue;
      const name = partName({ component: id, index }, part.name, 0);
      const own = [...this.reader.groupsOf(name)].filter((group) => owners[group] === index);
      if (part.restoreSections === undefined)
        for (const group of own) part.restore(await this.reader.records({ part: name, group }), watermark);
      else {
        const rooms = [new ReadRoom(), new ReadRoom()];
        const read = (group: number, i: number) => this.reader.sections({ part: name, group }, 0, rooms[i % 2]);
        for await (const sections of ahead(own, read)) part.restoreSections(sections, watermark);
      }
      let isMoved = false;
      for (let from = index; from < before; from += parallelism) {
        const keyless = partName({ component: id, index: from }, part.name, NO_GROUP);
        if (!this.reader.has(keyless)) continue;
        part.restore(await this.reader.records({ part: keyless, group: NO_GROUP }, since), watermark);
        isMoved ||= before !== parallelism;
      }
      if (!isMoved) part.settle();
      crashPoint("restoring");
    }
  }

  /** Gives a part that all tasks share what it had; the component is the one whose first task has written it. */
  async restoreShared(component: string, part: SnapshotPart, watermark: number): Promise<void> {
    const name = partName({ component, index: 0 }, part.name, SHARED_GROUP);
    part.restore(await this.reader.records({ part: name, group: SHARED_GROUP }), watermark);
    part.settle();
  }

  close(): Promise<void> {
    return this.reader.close();
  }

  private marksOf(component: string): readonly TaskMark[] {
    return this.manifest.tasks.filter(({ id }) => id.slice(0, id.lastIndexOf(" #")) === component);
  }
}

/** What comes of each, with the next one always under way: the disk reads while the processor works. */
async function* ahead<T, U>(all: readonly T[], read: (each: T, i: number) => Promise<U>): AsyncIterableIterator<U> {
  let next: Promise<U> | undefined;
  for (const [i, each] of all.entries()) {
    const current = next ?? read(each, i);
    next = i + 1 < all.length ? read(all[i + 1], i + 1) : undefined;
    next?.catch(() => {}); // told when its turn comes
    yield await current;
  }
}
