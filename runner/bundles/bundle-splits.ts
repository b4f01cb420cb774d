// How a bundle of a splittable transform is divided while it is under way: so that it ends before its restrictions do, and so that others get a
// share of it. What is split off, at the harness, goes back to the runner.
//
// C1. Once all elements are sent, the harness is asked to split whenever the runner wants a share for others, a half of what is left, or wants the
//     bundle to end, one request at a time. A request is about one source: not every SDK says which one its answer is about.
// C2. What splits give back are parts of the element in progress, and elements that nobody has begun: of those, all behind the earliest split.
// C3. The harness is to keep nothing of what is left. Where its SDK takes that for a split between elements when a rounding error makes it
//     less than nothing, and then says that it has not begun what it goes on to process, it is to keep next to nothing.
// C4. A harness that keeps nothing at all of a bundle has not come to begin it: the next one is given longer, so that there is progress.
// C5. What cannot be split so that it keeps so little is asked to keep more, up to a half.
// C6. A split that fails, or comes too early or too late, has split nothing.
import { fromInt64, toInt64, type beam } from "../../portability/protos/index.js";
import type { RestrictionContext } from "../../portability/stage-host/index.js";
import type { ElementMeta } from "../../portability/values/index.js";
import type { Harness } from "./harness.js";

/** How often the runner is asked what it wants, in milliseconds, and how seldom at most (C4). */
const LOOK_EVERY_MS = 50;
const LOOK_AT_LEAST_EVERY_MS = 3200;

/** C3: above what rounding takes away of a position among a million elements, and less than any part of a restriction that there is. */
const NEXT_TO_NOTHING = 1e-6;
/** Fractions of what is left that stay where it is (C1, C5). */
const SOME = 1 / 64;
const HALF = 1 / 2;
/** C3: how environments of Beam's Go SDK say what they are. */
const GO_SDK = "beam:version:sdk_base:go:";

/** The part of what is left that a harness is to keep when its bundle should end (C3). */
export function leastFraction({ capabilities }: beam.pipeline.IEnvironment): number {
  return capabilities?.some((each) => each.startsWith(GO_SDK)) === true ? NEXT_TO_NOTHING : 0;
}

export interface SentElement {
  readonly value: unknown;
  readonly meta: ElementMeta;
}

export class BundleSplits {
  /** What was sent, by source. */
  private readonly sent = new Map<string, SentElement[]>();
  /** C2: the first element that is not processed, by source. */
  private readonly ends = new Map<string, number>();
  private roots: beam.fn.IDelayedBundleApplication[] = [];
  private pending: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private everyMs = LOOK_EVERY_MS;
  /** For a bundle that should end. */
  private fractionOfRemainder: number;

  constructor(
    private readonly harness: Harness,
    private readonly wanted: Pick<RestrictionContext, "shouldCheckpoint" | "shouldShare">,
    private readonly leastFraction: number,
  ) {
    this.fractionOfRemainder = leastFraction;
  }

  begin(): void {
    this.stop();
    this.sent.clear();
    this.ends.clear();
    this.roots = [];
    this.fractionOfRemainder = this.leastFraction;
    this.pending = undefined;
  }

  add(sourceId: string, value: unknown, meta: ElementMeta): void {
    const sent = this.sent.get(sourceId);
    if (sent === undefined) this.sent.set(sourceId, [{ value, meta }]);
    else sent.push({ value, meta });
  }

  /** C1 */
  watch(instructionId: string): void {
    this.timer = setInterval(() => {
      if (this.pending !== undefined) return;
      const fraction = this.wanted.shouldShare() ? HALF : this.wanted.shouldCheckpoint() ? this.fractionOfRemainder : undefined;
      if (fraction !== undefined) this.pending = this.split(instructionId, fraction).finally(() => (this.pending = undefined));
    }, this.everyMs);
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** When the bundle has been answered: no split is under way when it resolves. */
  async settled(): Promise<void> {
    this.stop();
    await this.pending;
    const hasKeptNothing = this.sent.size > 0 && [...this.sent.keys()].every((sourceId) => this.ends.get(sourceId) === 0);
    this.everyMs = hasKeptNothing ? Math.min(2 * this.everyMs, LOOK_AT_LEAST_EVERY_MS) : LOOK_EVERY_MS; // C4
  }

  get residualRoots(): readonly beam.fn.IDelayedBundleApplication[] {
    return this.roots;
  }

  /** Calls back for each element that is not processed. */
  forEachUnprocessed(take: (element: SentElement, sourceId: string) => void): void {
    for (const [sourceId, end] of this.ends) for (const element of this.sent.get(sourceId)?.slice(end) ?? []) take(element, sourceId);
  }

  private async split(instructionId: string, fractionOfRemainder: number): Promise<void> {
    for (const [sourceId, { length }] of this.sent) await this.splitSource(instructionId, sourceId, length, fractionOfRemainder);
  }

  private async splitSource(instructionId: string, sourceId: string, sent: number, fractionOfRemainder: number): Promise<void> {
    const desiredSplits = { [sourceId]: { fractionOfRemainder, estimatedInputElements: toInt64(sent) } };
    const request = { instructionId: this.harness.newInstructionId(), processBundleSplit: { instructionId, desiredSplits } };
    const response = await this.harness.instruct(request).catch(() => undefined); // the bundle hears of a lost harness
    if (response === undefined || response.error) return; // C6
    const { residualRoots, channelSplits } = response.processBundleSplit ?? {};
    this.roots.push(...(residualRoots ?? []));
    const hasSplit = (channelSplits?.length ?? 0) > 0;
    this.fractionOfRemainder = hasSplit ? this.leastFraction : Math.min(HALF, Math.max(SOME, 2 * this.fractionOfRemainder)); // C5
    for (const { transformId, firstResidualElement } of channelSplits ?? []) {
      const end = Number(fromInt64(firstResidualElement));
      if (transformId && transformId !== sourceId) return this.harness.makesNoSense(`splits "${transformId}", which it was not asked to`);
      this.ends.set(sourceId, Math.min(end, this.ends.get(sourceId) ?? Infinity));
    }
  }
}
