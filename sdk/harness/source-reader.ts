import { beam } from "../../portability/protos/index.js";
import {
  renderElement,
  UserCodeError,
  type EmitFromSource,
  type NextRead,
  type SourceContext,
  type SourceReader,
} from "../../portability/stage-host/index.js";
import type { Timestamp } from "../../portability/values/index.js";
import type { Reader, ReadResult, UntypedSource } from "../model/source.js";
import { readFunctionPayload } from "../translate/function-payload.js";
import type { Program } from "./program.js";
import { trackerOf, type WatermarkTracker } from "./watermark-trackers.js";

/** Opens one reader of a program's source. @throws UserCodeError when the author's `open` fails */
export async function openSource(
  transform: string,
  payload: Uint8Array | null | undefined,
  program: Program,
  context: SourceContext,
): Promise<SourceReader> {
  const { source } = program.primitive(readFunctionPayload(sourcePayload(payload)).transform, "read");
  const failed = (action: string, cause: unknown, element?: { readonly value: unknown }): UserCodeError =>
    cause instanceof UserCodeError
      ? cause
      : new UserCodeError(
          { transform, element: element === undefined ? undefined : renderElement(element.value), line: program.site(transform) },
          action,
          cause,
        );
  const failure: { error?: UserCodeError } = {};
  const { index, count } = context;
  const before = context.position === undefined ? undefined : readPosition(context.position);
  try {
    const reader = await source.open({
      index,
      count,
      position: before?.reader,
      now: () => context.now(),
      available: () => context.available(),
      fail(cause) {
        failure.error ??= failed("the source failed", cause);
        context.available();
      },
    });
    return new ProgramReader(source, reader, context, failure, failed, before);
  } catch (cause) {
    throw failed("the source could not be opened", cause);
  }
}

/** Where a reader of a program is, as the bytes of JSON. */
interface Position {
  /** What the author's reader says. */
  readonly reader: unknown;
  /** Elements that it may still emit; none where there is no limit. */
  readonly left?: number;
}

function readPosition(bytes: Uint8Array): Position {
  return JSON.parse(new TextDecoder().decode(bytes)) as Position; // as `position` wrote it
}

function sourcePayload(payload: Uint8Array | null | undefined): Uint8Array | null | undefined {
  return beam.pipeline.ReadPayload.decode(payload ?? new Uint8Array()).source?.payload;
}

/** An author's reader with what its source says of watermark and end. Functions of the author throw UserCodeErrors from here on. */
class ProgramReader implements SourceReader {
  readonly idleAfterMs: number;
  readonly followsClock: boolean;
  private readonly tracker: WatermarkTracker;
  private readonly endAt: number;
  private left: number;
  private closing: Promise<void> | undefined;
  /** Drained, and the reader has nothing to give for that. */
  private hasEnded = false;
  private emit: EmitFromSource = () => false;

  constructor(
    source: UntypedSource,
    private readonly reader: Reader<unknown>,
    private readonly context: SourceContext,
    /** What the source said between two reads. */
    private readonly failure: { readonly error?: UserCodeError },
    private readonly failed: (action: string, cause: unknown, element?: { readonly value: unknown }) => UserCodeError,
    before: Position | undefined,
  ) {
    this.tracker = trackerOf(source.watermark, reader, () => context.now());
    this.followsClock = this.tracker.followsClock;
    this.idleAfterMs = source.idleAfterMs;
    this.left = before?.left ?? source.maxElements;
    this.endAt = context.now() + source.maxReadMs;
  }

  read(emit: EmitFromSource): NextRead {
    if (this.failure.error !== undefined) throw this.failure.error;
    if (this.hasEnded || this.context.now() >= this.endAt) return "end";
    this.emit = emit;
    let result: ReadResult;
    try {
      result = this.reader.read(this.take);
    } catch (cause) {
      throw this.failed("the source could not be read", cause);
    }
    if (this.left <= 0) return "end";
    if (typeof result !== "string") return Math.min(this.checkedTime(result), this.endAt);
    return result === "later" ? this.endAt : result;
  }

  watermark(): Timestamp {
    try {
      return this.tracker.watermark();
    } catch (cause) {
      throw this.failed("the source could not tell its watermark", cause);
    }
  }

  position(): Uint8Array | undefined {
    if (this.reader.position === undefined) return undefined;
    const left = this.left === Infinity ? undefined : this.left;
    try {
      return new TextEncoder().encode(JSON.stringify({ reader: this.reader.position(), left } satisfies Position));
    } catch (cause) {
      throw this.failed("the source could not tell its position", cause);
    }
  }

  drain(): void {
    if (this.reader.drain === undefined) {
      this.hasEnded = true;
      return;
    }
    try {
      this.reader.drain();
    } catch (cause) {
      throw this.failed("the source could not be drained", cause);
    }
  }

  close(): Promise<void> {
    return (this.closing ??= this.closeOnce());
  }

  private async closeOnce(): Promise<void> {
    try {
      await this.reader.close?.();
    } catch (cause) {
      throw this.failed("the source could not be closed", cause);
    }
  }

  private readonly take = (element: unknown, given?: Timestamp): boolean => {
    if (this.left <= 0) return false; // what a reader emits beyond the end is not wanted
    this.left--;
    let timestamp: Timestamp;
    try {
      timestamp = this.tracker.timestampOf(element, given);
    } catch (cause) {
      throw this.failed("no timestamp", cause, { value: element });
    }
    return this.emit(element, timestamp) && this.left > 0;
  };

  private checkedTime(time: number): number {
    if (typeof time === "number" && !Number.isNaN(time)) return time;
    throw this.failed(
      "the source could not be read",
      new TypeError(`read() must return "more", "later", "end" or a time, not ${String(time)}`),
    );
  }
}
