import { ByteReader, type WindowedValueCoder } from "../../portability/coders/index.js";
import type { StageContext } from "../../portability/stage-host/index.js";
import type { Receiver } from "../../portability/values/index.js";
import { OverflowFile, type Stored } from "./overflow-file.js";

/** Elements delivered between two looks at whether the task can take more. */
const STRIDE = 64;

/** Bytes that wait in memory for the task, at most, and the size of a chunk. */
const WAITING_BYTES = 32 << 20;

/** An output of the stage: how its elements are read, and where they go. */
export interface OutputPort {
  readonly coder: WindowedValueCoder<unknown>;
  readonly receive: Receiver;
  elements: number;
}

interface Chunk {
  readonly port: OutputPort;
  readonly content: Uint8Array | Stored;
}

/**
 * Hands what a harness has put out to the task, element by element, as fast as the task takes it.
 *
 * - D1. Chunks are delivered in the order in which they came, and kept while the task says pause.
 * - D2. Many that wait are kept on disk. To leave them with the harness would not do: what the task waits for may be outputs of another
 *   bundle that come behind them.
 */
export class OutputDrain {
  private readonly chunks: Chunk[] = [];
  private waitingBytes = 0;
  private readonly reader = new ByteReader(new Uint8Array(0));
  private current: OutputPort | undefined;

  constructor(
    private readonly context: StageContext,
    private readonly most = WAITING_BYTES,
    private readonly overflow = new OverflowFile(),
  ) {}

  get isEmpty(): boolean {
    return this.current === undefined && this.chunks.length === 0;
  }

  /** @throws Error where there are too many for memory, and the disk takes no more */
  add(port: OutputPort, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const isTooMuch = this.chunks.length > 0 && this.waitingBytes + bytes.length > this.most;
    if (!isTooMuch) this.waitingBytes += bytes.length;
    this.chunks.push({ port, content: isTooMuch ? this.overflow.store(bytes) : bytes }); // D2
  }

  /** Delivers what the task takes now; true if nothing is left. @throws CoderError */
  deliver(): boolean {
    for (;;) {
      if (this.current === undefined && !this.nextChunk()) return true;
      if (this.context.shouldPause()) return false;
      this.deliverSome(this.current!);
    }
  }

  /** Delivers everything. Only for a task that waits for it: nobody else is told to go on. */
  async deliverAll(): Promise<void> {
    while (!this.deliver()) await this.context.resume();
  }

  clear(): void {
    this.chunks.length = this.waitingBytes = 0;
    this.current = undefined;
    this.overflow.clear();
  }

  private nextChunk(): boolean {
    const chunk = this.chunks.shift();
    if (chunk === undefined) {
      this.reader.reset(NO_BYTES); // the last chunk may have been a large one
      this.overflow.clear();
      return false;
    }
    const { port, content } = chunk;
    const isInMemory = content instanceof Uint8Array;
    if (isInMemory) this.waitingBytes -= content.length;
    this.current = port;
    this.reader.reset(isInMemory ? content : this.overflow.read(content));
    return true;
  }

  private deliverSome(port: OutputPort): void {
    const { reader } = this;
    const { coder, receive } = port;
    for (let i = 0; i < STRIDE; i++) {
      if (reader.remaining === 0) {
        this.current = undefined;
        return;
      }
      const meta = coder.decodeMeta(reader);
      port.elements++;
      receive(coder.element.decode(reader, true), meta);
    }
  }
}

const NO_BYTES = new Uint8Array(0);
