// Timers on the data stream, of the one transform of a stage that has any.
//
// T1. A firing goes to the harness as a timer of its family; what functions set or clear comes back in the same form, mostly at the end of the bundle.
// T2. Both ends say of each family when nothing more comes.
// T3. Set for a window that has expired, it is dropped. A hold is not beyond the end of the window; one that is at the end of time is none, and stays
//     what the timer puts out at.
import { ByteReader, ByteWriter, CoderRegistry, timerCoder, type Coder, type TimerValue } from "../../portability/coders/index.js";
import type { beam } from "../../portability/protos/index.js";
import {
  PipelineError,
  type FiredTimer,
  type KeyedState,
  type StageDescriptor,
  type TimerCells,
} from "../../portability/stage-host/index.js";
import { MAX_TIMESTAMP, NO_FIRING, type Window } from "../../portability/values/index.js";
import { rawValueCoder } from "./raw-coder.js";
import type { StatefulTransform } from "./stateful-transform.js";

interface Family {
  readonly coder: Coder<TimerValue<unknown>>;
  /** Undefined for the family that only the runner sets. */
  readonly cells: TimerCells | undefined;
}

export class StageTimers {
  private readonly families = new Map<string, Family>();
  private readonly writer = new ByteWriter();

  constructor(
    stage: StageDescriptor,
    private readonly transform: StatefulTransform,
    private readonly keyed: KeyedState,
  ) {
    for (const [id, coderId] of transform.families)
      this.families.set(id, {
        coder: timerCoderOf(stage, coderId),
        cells: transform.expirationFamily === id ? undefined : keyed.timers(id),
      });
  }

  get familyIds(): IterableIterator<string> {
    return this.families.keys();
  }

  /** T1: appends a firing. */
  encode({ family, key, tag, window, fireAt, outputAt }: FiredTimer): Uint8Array {
    const { writer } = this;
    writer.reset();
    const timer = { key, tag, windows: [window], cleared: false, fireTimestamp: fireAt, holdTimestamp: outputAt, pane: NO_FIRING } as const;
    this.families.get(family)!.coder.encode(timer, writer, true);
    return writer.toBytes();
  }

  /** T2: that there are no more firings. */
  ends(instructionId: string): beam.fn.Elements.ITimers[] {
    const transformId = this.transform.id;
    return [...this.familyIds].map((timerFamilyId) => ({ instructionId, transformId, timerFamilyId, isLast: true }));
  }

  /** Does what functions want. @throws CoderError, or another error, for what is no timer of the stage */
  apply(familyId: string, bytes: Uint8Array): void {
    const cells = this.families.get(familyId)?.cells;
    if (cells === undefined) throw new Error(`transform "${this.transform.id}" sets timers of the family "${familyId}", which it may not`);
    const { coder } = this.families.get(familyId)!;
    for (const reader = new ByteReader(bytes); reader.remaining > 0;) {
      const timer = coder.decode(reader, true);
      for (const window of timer.windows) {
        if (!this.keyed.select(timer.key, window)) continue; // T3
        if (timer.cleared) cells.clear(timer.tag);
        else {
          const holds = timer.holdTimestamp < MAX_TIMESTAMP;
          cells.set(timer.tag, timer.fireTimestamp, holds ? Math.min(timer.holdTimestamp, window.maxTimestamp) : MAX_TIMESTAMP, holds);
        }
      }
    }
  }
}

function timerCoderOf({ id, components }: StageDescriptor, coderId: string): Coder<TimerValue<unknown>> {
  const coders = components.coders ?? {};
  const [key, window] = coders[coderId]?.componentCoderIds ?? [];
  if (key === undefined || window === undefined)
    throw new PipelineError("coder_missing", `timers of stage ${id} have no coder of keys and windows (${coderId})`);
  return timerCoder(rawValueCoder(key, coders), new CoderRegistry().fromProto(window, coders) as Coder<Window>);
}
