// Runs the scripts of a job's TestStreams (`beam:transform:teststream:v1`): each output is a spout whose inbox is fed from here.
//
// S1. An event takes place only when nothing else can happen: every task has taken all there is, no user code is at work.
// S2. Several streams take turns, an event each; the clock, which they share, is virtual.
// S3. An output whose stream has no events left is over: its watermark goes to the end. So it is once the job is drained.
import type { Coder } from "../../portability/coders/coder.js";
import { ByteReader } from "../../portability/coders/index.js";
import { beam } from "../../portability/protos/index.js";
import { ElementMeta, GLOBAL_WINDOWS, MAX_TIMESTAMP, MIN_TIMESTAMP, NO_FIRING } from "../../portability/values/index.js";
import { ElementBatch, type Inbox, type VirtualClock } from "../runtime/index.js";

interface Output {
  readonly inbox: Inbox;
  readonly port: number;
}

class TestStream {
  readonly events: beam.pipeline.TestStreamPayload.IEvent[];
  readonly outputs = new Map<string, Output>();

  constructor(
    payload: Uint8Array,
    private readonly coder: (coderId: string) => Coder<unknown>,
  ) {
    const { events, coderId } = beam.pipeline.TestStreamPayload.decode(payload);
    this.events = [...events];
    this.coderId = coderId;
  }
  private readonly coderId: string;

  elements(event: beam.pipeline.TestStreamPayload.Event.IAddElements): ElementBatch {
    const coder = this.coder(this.coderId);
    const batch = new ElementBatch();
    for (const { encodedElement, timestamp } of event.elements ?? [])
      batch.push(
        coder.decode(new ByteReader(encodedElement ?? new Uint8Array()), true),
        new ElementMeta(Number(timestamp ?? 0), GLOBAL_WINDOWS, NO_FIRING),
      );
    return batch;
  }

  /** The output of a tag; the only one, whatever its name, where an event names none. */
  output(tag: string | null | undefined): Output | undefined {
    return this.outputs.get(tag ?? "") ?? (this.outputs.size === 1 ? [...this.outputs.values()][0] : undefined);
  }
}

export class TestStreams {
  private readonly streams = new Map<string, TestStream>();
  private next = 0;

  constructor(private readonly clock: VirtualClock) {}

  /** Has the output `tag` of a TestStream, by the id of its transform, feed an inbox. */
  feed(transformId: string, tag: string, payload: Uint8Array, coder: (coderId: string) => Coder<unknown>, inbox: Inbox): void {
    let stream = this.streams.get(transformId);
    if (stream === undefined) this.streams.set(transformId, (stream = new TestStream(payload, coder)));
    stream.outputs.set(tag, { inbox, port: inbox.addFeed() });
  }

  /** S1: to be called when nothing else can happen; false if all is over. An event may have no effect, as when time passes that nobody waits for. */
  step(): boolean {
    for (const stream of [...this.streams.values()]) this.endIfOver(stream);
    const waiting = [...this.streams.values()].filter(({ events }) => events.length > 0);
    if (waiting.length === 0) return false;
    const stream = waiting[this.next++ % waiting.length]; // S2
    const event = stream.events.shift()!;
    if (event.processingTimeEvent) this.clock.advance(Number(event.processingTimeEvent.advanceDuration ?? 0));
    else if (event.watermarkEvent) {
      const { newWatermark, tag } = event.watermarkEvent;
      const watermark = Math.max(MIN_TIMESTAMP, Math.min(MAX_TIMESTAMP, Number(newWatermark ?? 0)));
      const output = stream.output(tag);
      output?.inbox.receiveWatermark(output.port, watermark);
    } else if (event.elementEvent) {
      const output = stream.output(event.elementEvent.tag);
      output?.inbox.receive(output.port, stream.elements(event.elementEvent));
    }
    this.endIfOver(stream);
    return true;
  }

  /** S3: what is left of the scripts does not take place. */
  drain(): void {
    for (const stream of this.streams.values()) {
      stream.events.length = 0;
      this.endIfOver(stream);
    }
  }

  /** S3 */
  private endIfOver({ events, outputs }: TestStream): void {
    if (events.length > 0) return;
    for (const { inbox, port } of outputs.values()) inbox.receiveWatermark(port, MAX_TIMESTAMP);
    outputs.clear();
  }
}
