import { CorruptPieceError } from "../checkpoint/index.js";
import { LinkLostError, LostElementsError } from "../runtime/index.js";

/**
 * A worker of the job is gone, or could not be started.
 *
 * @example
 * ```ts
 * await run(wordcount, { input: "a.txt" }, local()).catch((error: Error) => console.log(error instanceof WorkerLostError));
 * ```
 */
export class WorkerLostError extends Error {
  override readonly name = "WorkerLostError";
}

/** The names of errors that are nobody's mistake: they tell of something that another attempt need not meet. They come from other processes, too. */
const RESTARTABLE = new Set([WorkerLostError.name, LinkLostError.name, LostElementsError.name, CorruptPieceError.name]);

/** Whether what a worker was to go on from is not what it was: an earlier checkpoint is then gone on from. */
export function isOfDamage(error: unknown): boolean {
  return error instanceof Error && error.name === CorruptPieceError.name;
}

/** Whether a job that has checkpoints goes on after such an error. */
export function isRestartable(error: unknown): boolean {
  return error instanceof Error && RESTARTABLE.has(error.name);
}
