// What the coordinator of a job's checkpoints decides: a pure state machine, `step(state, event) → { next, effects }` (design D9).
//
//   tick ─► trigger ─► taken by every worker ─► publish ─► published ─► announce, tidy ─► resting
//
// K1. One epoch is under way at a time; epochs ascend by one.
// K2. An epoch is published when every worker has taken its part of it, and once.
// K3. An epoch is announced, so that what waits for it is done, only when it is published; and before the next one is triggered.
// K4. When the job has come to its end the next epoch is its last: it is marked as such, and complete comes behind its announcement.
// K5. What workers say of another epoch than the one under way is not heard.

/** What a worker has taken. */
export interface TakenPart<Part> {
  readonly worker: number;
  readonly part: Part;
}

export interface CheckpointState<Part> {
  readonly workers: number;
  readonly phase: "resting" | "taking" | "publishing" | "stopped";
  /** The epoch under way, or else the last one. */
  readonly epoch: number;
  readonly taken: readonly TakenPart<Part>[];
  /** Whether one is to follow at once. */
  readonly isDue: boolean;
  /** Whether the job has come to its end. */
  readonly isOver: boolean;
  /** Whether the epoch under way is the last one. */
  readonly isLast: boolean;
}

export type CheckpointEvent<Part> =
  /** It is time for another one. */
  | { readonly type: "tick" }
  | { readonly type: "taken"; readonly worker: number; readonly epoch: number; readonly part: Part }
  | { readonly type: "published"; readonly epoch: number }
  /** All tasks have come to their end. */
  | { readonly type: "over" }
  /** The job fails, is cancelled, or begins anew. */
  | { readonly type: "stop" };

export type CheckpointEffect<Part> =
  | { readonly type: "trigger"; readonly epoch: number }
  | { readonly type: "publish"; readonly epoch: number; readonly parts: readonly TakenPart<Part>[]; readonly isLast: boolean }
  | { readonly type: "announce"; readonly epoch: number }
  | { readonly type: "tidy"; readonly epoch: number }
  | { readonly type: "complete" };

export interface CheckpointStep<Part> {
  readonly next: CheckpointState<Part>;
  readonly effects: readonly CheckpointEffect<Part>[];
}

/** @param epoch the one that the job goes on from; 0 if it begins */
export function startCheckpoints<Part>(workers: number, epoch: number): CheckpointState<Part> {
  return { workers, phase: "resting", epoch, taken: [], isDue: false, isOver: false, isLast: false };
}

export function stepCheckpoints<Part>(state: CheckpointState<Part>, event: CheckpointEvent<Part>): CheckpointStep<Part> {
  if (state.phase === "stopped") return { next: state, effects: [] };
  switch (event.type) {
    case "tick":
      return begin({ ...state, isDue: true });
    case "over":
      return begin({ ...state, isOver: true, isDue: true });
    case "taken":
      return taken(state, event);
    case "published":
      return published(state, event.epoch);
    case "stop":
      return { next: { ...state, phase: "stopped", taken: [] }, effects: [] };
  }
}

/** K1, K4 */
function begin<Part>(state: CheckpointState<Part>): CheckpointStep<Part> {
  if (state.phase !== "resting" || !state.isDue) return { next: state, effects: [] };
  const epoch = state.epoch + 1;
  return {
    next: { ...state, phase: "taking", epoch, taken: [], isDue: false, isLast: state.isOver },
    effects: [{ type: "trigger", epoch }],
  };
}

/** K2, K5 */
function taken<Part>(
  state: CheckpointState<Part>,
  { worker, epoch, part }: Extract<CheckpointEvent<Part>, { type: "taken" }>,
): CheckpointStep<Part> {
  const isNews = state.phase === "taking" && epoch === state.epoch && !state.taken.some((each) => each.worker === worker);
  if (!isNews) return { next: state, effects: [] };
  const all = [...state.taken, { worker, part }];
  if (all.length < state.workers) return { next: { ...state, taken: all }, effects: [] };
  return {
    next: { ...state, phase: "publishing", taken: [] },
    effects: [{ type: "publish", epoch, parts: all, isLast: state.isLast }],
  };
}

/** K3 */
function published<Part>(state: CheckpointState<Part>, epoch: number): CheckpointStep<Part> {
  if (state.phase !== "publishing" || epoch !== state.epoch) return { next: state, effects: [] };
  const done: CheckpointEffect<Part>[] = [
    { type: "announce", epoch },
    { type: "tidy", epoch },
  ];
  if (state.isLast) return { next: { ...state, phase: "stopped" }, effects: [...done, { type: "complete" }] };
  const following = begin({ ...state, phase: "resting" });
  return { next: following.next, effects: [...done, ...following.effects] };
}
