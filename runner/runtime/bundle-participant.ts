/**
 * What takes part in the bundles of a task besides its stage, such as its outbox: what it is told within a bundle shows
 * when the bundle is committed, or not at all (design D5).
 *
 * The order of calls is (`begin` (`commit` | `rollback`))*; none of them may wait or fail. After a rollback the same elements come again,
 * in a bundle of their own. A bundle that runs when its task is stopped ends with neither.
 */
export interface BundleParticipant {
  begin(): void;
  commit(): void;
  rollback(): void;
}
