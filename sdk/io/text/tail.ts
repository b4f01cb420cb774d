import { open as openFile, stat, type FileHandle } from "node:fs/promises";
import type { Stats } from "node:fs";
import { utf8Coder } from "../../../portability/coders/index.js";
import type { PCollection } from "../../model/pcollection.js";
import type { Pipeline } from "../../model/pipeline.js";
import type { PTransform } from "../../model/ptransform.js";
import type { EmitFromReader, Reader, ReaderContext, ReadResult } from "../../model/source.js";
import { unboundedSource } from "../../transforms/unbounded-source.js";
import { ElementQueue } from "../element-queue.js";
import { LineSplitter, LongLineError } from "../line-splitter.js";
import { checkWhole, DEFAULT_LINE_BYTES, DEFAULT_QUEUE_BYTES, type StreamOptions } from "../source-options.js";

/** What {@link tail} takes beside the path. */
export interface TailOptions extends StreamOptions<string> {
  /** Whether lines that the file has already are read; default: only what is added. */
  readonly fromStart?: boolean;
  /** How often the file is looked at, in milliseconds; default 100. */
  readonly pollMs?: number;
  /** Longest line in bytes; default 1 MiB. */
  readonly maxLineBytes?: number;
}

const BLOCK_BYTES = 64 << 10;

/**
 * The lines that are added to a file, without their line ends, in their order. A line is read when its end is there.
 *
 * - A file that is not there yet is waited for, and read from its start.
 * - Rotation: when the path leads to another file, the one before is read to its end, its last line needing no line end, then the new one from
 *   its start.
 * - Truncation: a file that is shorter than what was read of it is read from its start; the beginning of a line that was waiting is
 *   dropped. One that has grown beyond that point again between two looks is not noticed.
 *
 * @throws RangeError; (at run time) UserCodeError when the file cannot be read, or a line is too long
 * @example
 * ```ts
 * p.apply(textIO.tail("logs/a.log", { fromStart: true, maxElements: 2 })).apply(map((line) => console.log(line)));
 * ```
 */
export function tail(path: string, options: TailOptions = {}): PTransform<Pipeline, PCollection<string>> {
  const { fromStart = false, pollMs = 100, maxLineBytes = DEFAULT_LINE_BYTES, queueBytes = DEFAULT_QUEUE_BYTES, ...source } = options;
  checkWhole({ pollMs, maxLineBytes, queueBytes });
  const open = (context: ReaderContext): Promise<Reader<string>> =>
    FileTail.open({ path, fromStart, pollMs, maxLineBytes, queueBytes }, context);
  return { ...unboundedSource<string>({ ...source, coder: utf8Coder, open }), defaultName: "textIO.tail" };
}

interface Rules extends Required<Pick<TailOptions, "fromStart" | "pollMs" | "maxLineBytes" | "queueBytes">> {
  readonly path: string;
}

/** The file that is being read, and how far. */
interface Opened {
  readonly handle: FileHandle;
  readonly stats: Stats;
  position: number;
}

/**
 * - T1. One look at a time; between two of them, or while the queue is full, nothing is read.
 * - T2. The path is looked at only when the open file has been read to its end.
 */
class FileTail implements Reader<string> {
  private readonly queue: ElementQueue<string>;
  private readonly lines: LineSplitter;
  private readonly block = Buffer.allocUnsafe(BLOCK_BYTES);
  private file: Opened | undefined;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();
  private waitsForRoom = false;
  private closed = false;

  private constructor(
    private readonly rules: Rules,
    private readonly context: ReaderContext,
  ) {
    this.lines = new LineSplitter(rules.maxLineBytes);
    this.queue = new ElementQueue(context, rules.queueBytes);
    this.queue.onRoom = () => {
      if (this.waitsForRoom) this.look();
    };
  }

  /** Where reading begins is settled when it resolves: what is added from then on is read. */
  static async open(rules: Rules, context: ReaderContext): Promise<FileTail> {
    const reader = new FileTail(rules, context);
    reader.file = await openIfThere(rules.path);
    if (reader.file !== undefined && !rules.fromStart) reader.file.position = reader.file.stats.size;
    reader.look();
    return reader;
  }

  read(emit: EmitFromReader<string>): ReadResult {
    return this.queue.read(emit);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.looking;
    await this.file?.handle.close();
  }

  /** T1 */
  private look(): void {
    this.waitsForRoom = false;
    this.looking = this.readOn().then(
      () => {
        if (this.closed) return;
        if (this.queue.isFull) this.waitsForRoom = true;
        else this.timer = setTimeout(() => this.look(), this.rules.pollMs);
      },
      (error: unknown) => this.context.fail(error),
    );
  }

  private async readOn(): Promise<void> {
    this.file ??= await openIfThere(this.rules.path);
    while (this.file !== undefined && (await this.readToEnd(this.file))) {
      const there = await statIfThere(this.rules.path); // T2
      if (there === undefined) return; // moved away: something may be added to it still
      if (isSame(there, this.file.stats)) {
        if (there.size >= this.file.position) return;
        this.lines.reset();
        this.file.position = 0;
      } else if (await this.readToEnd(this.file)) await this.turnTo(this.rules.path);
    }
  }

  /** False if the queue was full before that. */
  private async readToEnd(file: Opened): Promise<boolean> {
    while (!this.closed && !this.queue.isFull) {
      const { bytesRead } = await file.handle.read(this.block, 0, BLOCK_BYTES, file.position);
      if (bytesRead === 0) return true;
      this.take(file.position, () => this.lines.push(this.block.subarray(0, bytesRead), this.add));
      file.position += bytesRead;
    }
    return false;
  }

  private async turnTo(path: string): Promise<void> {
    const before = this.file!;
    this.take(before.position, () => this.lines.end(this.add));
    this.file = undefined;
    await before.handle.close();
    this.file = await openIfThere(path);
  }

  private readonly add = (line: string, bytes: number): void => this.queue.add(line, bytes);

  private take(position: number, lines: () => void): void {
    try {
      lines();
    } catch (error) {
      if (!(error instanceof LongLineError)) throw error;
      throw new Error(`${this.rules.path}: near byte ${position}, ${error.message}`, { cause: error });
    }
  }
}

async function openIfThere(path: string): Promise<Opened | undefined> {
  const handle = await unlessMissing(openFile(path, "r"));
  return handle === undefined ? undefined : { handle, stats: await handle.stat(), position: 0 };
}

function statIfThere(path: string): Promise<Stats | undefined> {
  return unlessMissing(stat(path));
}

async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function isSame(a: Stats, b: Stats): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}
