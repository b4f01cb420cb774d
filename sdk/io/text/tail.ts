import { open as openFile, readdir, stat, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
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
 * A run that goes on from a checkpoint goes on behind the last line that it had: in the same file, though it may have another name in its folder by now,
 * and then in the one that took its place; at the start where it was truncated, or is gone. Files that came and went in between are not read.
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
  /** Behind the last line that was found. */
  lineEnd: number;
}

/** Where a run goes on: behind a line of a file, whatever its name is then. */
interface Place {
  readonly dev: number;
  readonly ino: number;
  readonly offset: number;
}

interface FoundLine extends Place {
  readonly line: string;
}

/**
 * - T1. One look at a time; between two of them, or while the queue is full, nothing is read.
 * - T2. The path is looked at only when the open file has been read to its end.
 * - T3. The position is behind the last line that was emitted; lines that wait in the queue are found again.
 */
class FileTail implements Reader<string> {
  private readonly queue: ElementQueue<FoundLine>;
  private readonly lines: LineSplitter;
  private readonly block = Buffer.allocUnsafe(BLOCK_BYTES);
  private file: Opened | undefined;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();
  private waitsForRoom = false;
  /** T3; none before there was a file. */
  private place: Place | undefined;
  private emit: EmitFromReader<string> = () => false;
  /** Nothing is looked at any more. */
  private closed = false;

  private constructor(
    private readonly rules: Rules,
    private readonly context: ReaderContext,
  ) {
    this.lines = new LineSplitter(rules.maxLineBytes);
    this.queue = new ElementQueue(context, rules.queueBytes);
    this.queue.onRoom = () => {
      if (this.waitsForRoom && !this.closed) this.look();
    };
  }

  /** Where reading begins is settled when it resolves: what is added from then on is read. */
  static async open(rules: Rules, context: ReaderContext): Promise<FileTail> {
    const reader = new FileTail(rules, context);
    reader.file = context.position === undefined ? await openAnew(rules) : await openAgain(rules.path, context.position as Saved);
    const { file } = reader;
    if (file !== undefined) reader.place = { dev: file.stats.dev, ino: file.stats.ino, offset: file.position };
    reader.look();
    return reader;
  }

  read(emit: EmitFromReader<string>): ReadResult {
    this.emit = emit;
    return this.queue.read(this.emitLine);
  }

  position(): Saved {
    if (this.place === undefined) return "no file yet";
    const { dev, ino, offset } = this.place;
    return { dev, ino, offset };
  }

  /** What the look under way has found is given still. */
  drain(): void {
    this.closed = true;
    clearTimeout(this.timer);
    void this.looking.then(() => this.queue.end());
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
        this.file.position = this.file.lineEnd = 0;
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

  private readonly add = (line: string, bytes: number, taken: number): void => {
    const file = this.file!;
    file.lineEnd += taken;
    this.queue.add({ line, dev: file.stats.dev, ino: file.stats.ino, offset: file.lineEnd }, bytes);
  };

  private readonly emitLine = (found: FoundLine): boolean => {
    this.place = found;
    return this.emit(found.line);
  };

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
  return handle === undefined ? undefined : { handle, stats: await handle.stat(), position: 0, lineEnd: 0 };
}

async function openAnew({ path, fromStart }: Rules): Promise<Opened | undefined> {
  const file = await openIfThere(path);
  if (file !== undefined && !fromStart) file.position = file.lineEnd = file.stats.size;
  return file;
}

/** What a position is in a checkpoint. */
type Saved = Place | "no file yet";

/** The file in which a run goes on, where it goes on. */
async function openAgain(path: string, saved: Saved): Promise<Opened | undefined> {
  if (saved === "no file yet") return openIfThere(path);
  for (const candidate of [path, ...(await namesBeside(path))]) {
    const there = await statIfThere(candidate);
    if (there === undefined || there.dev !== saved.dev || there.ino !== saved.ino) continue;
    const file = await openIfThere(candidate);
    if (file === undefined) continue; // it has just been moved
    if (await isBehindLine(file, saved.offset)) file.position = file.lineEnd = saved.offset;
    return file;
  }
  return openIfThere(path);
}

async function namesBeside(path: string): Promise<string[]> {
  const folder = dirname(path);
  return ((await unlessMissing(readdir(folder))) ?? []).map((name) => join(folder, name));
}

/** False for a file that was truncated, or another one whose number is the same. */
async function isBehindLine({ handle, stats: { size } }: Opened, offset: number): Promise<boolean> {
  if (offset === 0 || offset === size) return true;
  if (offset > size) return false;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, offset - 1);
  return buffer[0] === NEWLINE;
}

const NEWLINE = 10;

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
