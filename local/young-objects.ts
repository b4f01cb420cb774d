import { setFlagsFromString } from "node:v8";

/**
 * Has V8 make all objects young ones from now on, in this whole process: for processes that are ours, the command's and workers'.
 *
 * V8 watches whether what an object literal makes is still there at the next collections, and if so has the literal make old objects at once. What
 * flows through a job is kept for as long as its bundle, and whatever is kept anywhere while old objects are being marked counts as still there.
 * So literals that make the elements of a source become ones of old objects, nearly all of which are garbage milliseconds later: collecting
 * these takes as long as all the rest. What does stay, in groups and state, gets old by itself.
 */
export function keepObjectsYoung(): void {
  setFlagsFromString("--no-allocation-site-pretenuring");
}
