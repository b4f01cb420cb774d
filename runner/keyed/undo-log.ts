import { ReusedList } from "./reused-list.js";

/** Something whose changes can be taken back. */
export interface Restorable<Saved = unknown> {
  restore(saved: Saved): void;
}

/**
 * What the bundle under way has changed, as it was before.
 *
 * - L1. Whatever is changed in place is saved before its first change in a bundle, and only then: {@link bundle} tells.
 */
export class UndoLog {
  /** Another number for every bundle. */
  bundle = 1;
  private readonly targets = new ReusedList<Restorable>();
  private readonly saved = new ReusedList<unknown>();

  save<Saved>(target: Restorable<Saved>, saved: Saved): void {
    this.targets.push(target as Restorable);
    this.saved.push(saved);
  }

  commit(): void {
    this.targets.clear();
    this.saved.clear();
    this.bundle++;
  }

  rollback(): void {
    for (let i = this.targets.size - 1; i >= 0; i--) this.targets.at(i).restore(this.saved.at(i));
    this.commit();
  }
}

/** For what is made as it was before, and has nothing to be taken back to. */
class NoUndoLog extends UndoLog {
  override bundle = 0;

  override save(): void {}
}

export const NOT_LOGGED: UndoLog = new NoUndoLog();
