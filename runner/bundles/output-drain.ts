import { ByteReader, type WindowedValueCoder } from "../../portability/coders/index.js";
import type { StageContext } from "../../portability/stage-host/index.js";
import type { Receiver } from "../../portability/values/index.js";

/** Elements delivered between two looks at whether the task can take more. */
const STRIDE = 64;

/** An output of the stage: how its elements are read, and where they go. */
export interface OutputPort {
  readonly coder: WindowedValueCoder<unknown>;
  readonly receive: Receiver;
  elements: number;
}

/**
 * Hands what a harness has put out to the task, element by element, as fast as the task takes it.
 *
 * - D1. Chunks are delivered in the order in which they came, and kept while the task says pause.
 */
export class OutputDrain {
  private readonly chunks: { readonly port: OutputPort; readonly bytes: Uint8Array }[] = [];
  private readonly reader = new ByteReader(new Uint8Array(0));
  private current: OutputPort | undefined;

  constructor(private readonly context: StageContext) {}

  get isEmpty(): boolean {
    return this.current === undefined && this.chunks.length === 0;
  }

  add(port: OutputPort, bytes: Uint8Array): void {
    if (bytes.length > 0) this.chunks.push({ port, bytes });
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
    this.chunks.length = 0;
    this.current = undefined;
  }

  private nextChunk(): boolean {
    const chunk = this.chunks.shift();
    if (chunk === undefined) return false;
    this.current = chunk.port;
    this.reader.reset(chunk.bytes);
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
