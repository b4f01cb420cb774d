// Unbounded input by a script: elements, watermarks, processing time (`beam:transform:teststream:v1`).
import type { Coder } from "../../portability/coders/index.js";
import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from "../../portability/values/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { Pipeline } from "../model/pipeline.js";
import type { PTransform } from "../model/ptransform.js";
import type { TestStreamEvent } from "../model/transform-node.js";
import { GLOBAL_WINDOWING } from "../model/windowing.js";
import { anyValue } from "../transforms/element-coder.js";

/** What happens in the streams that a script speaks of, in order. */
class Script {
  readonly events: TestStreamEvent[] = [];
  private readonly watermarks = new Map<string, Timestamp>();

  add(tag: string, timestamp: Timestamp, elements: readonly unknown[]): void {
    checkInstant(timestamp, "timestamp");
    this.events.push({ tag, timestamp, elements });
  }

  watermark(tag: string, watermark: Timestamp): void {
    checkInstant(watermark, "watermark");
    const before = this.watermarks.get(tag) ?? MIN_TIMESTAMP;
    if (watermark < before) throw new RangeError(`a watermark does not go back: it was at ${before}, and cannot be moved to ${watermark}`);
    this.watermarks.set(tag, watermark);
    this.events.push({ tag, watermark });
  }

  advance(ms: number): void {
    if (!(Number.isSafeInteger(ms) && ms >= 0)) throw new RangeError(`processing time moves by whole milliseconds, not by ${ms}`);
    this.events.push({ advanceMs: ms });
  }
}

/**
 * Says what happens in a stream, step by step; ends as a transform to apply to the pipeline.
 *
 * @example
 * ```ts
 * const script: TestStream<string> = testStream<string>().at(0, "a").watermark(minutes(1)).late(10, "b").end();
 * p.apply(script);
 * ```
 */
export class TestStream<T> implements PTransform<Pipeline, PCollection<T>> {
  readonly name = undefined;
  readonly defaultName = "testStream";
  private readonly script = new Script();

  /** @internal Use `testStream()`. */
  constructor(private readonly coder: Coder<T> | undefined) {}

  /** These elements come, with this timestamp, together. */
  at(timestamp: Timestamp, ...elements: readonly T[]): this {
    this.script.add("out", timestamp, elements);
    return this;
  }

  /** The same as {@link at}, for elements that the author means to be behind the watermark. */
  late(timestamp: Timestamp, ...elements: readonly T[]): this {
    return this.at(timestamp, ...elements);
  }

  /** The watermark moves there: what comes behind it is late. */
  watermark(watermark: Timestamp): this {
    this.script.watermark("out", watermark);
    return this;
  }

  /** As many milliseconds of processing time pass. */
  advanceProcessingTime(ms: number): this {
    this.script.advance(ms);
    return this;
  }

  /** Nothing more comes, which is so at the end of a script anyway. */
  end(): this {
    return this.watermark(MAX_TIMESTAMP);
  }

  /** @internal */
  expand(p: Pipeline): PCollection<T> {
    const coder = (this.coder as Coder<unknown> | undefined) ?? anyValue;
    p.graph.setPrimitive({ kind: "test-stream", coder, events: [...this.script.events] });
    return p.graph.output<T>(coder, GLOBAL_WINDOWING, "out", false);
  }
}

/**
 * Says what happens in several streams, which share one order of events and one clock.
 *
 * @example
 * ```ts
 * const script: TestStreams<{ left: string; right: number }> = testStreams("left", "right");
 * const { left, right } = p.apply(script.at("left", 0, "a").at("right", 5, 1).watermark("left", minutes(1)));
 * ```
 */
export class TestStreams<Streams extends Readonly<Record<string, unknown>>> implements PTransform<
  Pipeline,
  { readonly [Tag in keyof Streams]: PCollection<Streams[Tag]> }
> {
  readonly name = undefined;
  readonly defaultName = "testStreams";
  private readonly script = new Script();

  /** @internal Use `testStreams()`. */
  constructor(private readonly tags: readonly (keyof Streams & string)[]) {
    if (tags.length === 0) throw new PipelineError("empty_test_stream", "testStreams() needs the name of a stream");
  }

  /** These elements come in the stream of this name, with this timestamp, together. */
  at<Tag extends keyof Streams & string>(tag: Tag, timestamp: Timestamp, ...elements: readonly Streams[Tag][]): this {
    this.script.add(this.known(tag), timestamp, elements);
    return this;
  }

  /** The watermark of the stream of this name moves there. */
  watermark(tag: keyof Streams & string, watermark: Timestamp): this {
    this.script.watermark(this.known(tag), watermark);
    return this;
  }

  /** As many milliseconds of processing time pass. */
  advanceProcessingTime(ms: number): this {
    this.script.advance(ms);
    return this;
  }

  /** @internal */
  expand(p: Pipeline): { readonly [Tag in keyof Streams]: PCollection<Streams[Tag]> } {
    p.graph.setPrimitive({ kind: "test-stream", coder: anyValue, events: [...this.script.events] });
    const outputs = this.tags.map((tag) => [tag, p.graph.output<unknown>(anyValue, GLOBAL_WINDOWING, tag, false)] as const);
    return Object.fromEntries(outputs) as { readonly [Tag in keyof Streams]: PCollection<Streams[Tag]> };
  }

  private known(tag: string): string {
    if (!(this.tags as readonly string[]).includes(tag))
      throw new RangeError(`these test streams are ${this.tags.map((each) => `"${each}"`).join(", ")}; there is none of the name "${tag}"`);
    return tag;
  }
}

/**
 * Unbounded input by a script: elements, watermarks and processing time as the test says, each event when all that came of the one before
 * has been done. Time is virtual: the clock starts at zero and moves when the script says so. Runs in one process.
 *
 * @example
 * ```ts
 * const script = testStream<string>().at(0, "a", "b").watermark(minutes(1)).late(seconds(30), "c").end();
 * const panes = await runPipeline((p) =>
 *   p
 *     .apply(script)
 *     .apply(windowInto(fixed(minutes(1)), { allowedLatenessMs: hours(1) }))
 *     .apply(countPerElement())
 *     .apply(reifyWindows()),
 * );
 * expectPanes(panes).onTime([kv("a", 1), kv("b", 1)]).late([kv("c", 1)]);
 * ```
 */
export function testStream<T>(coder?: Coder<T>): TestStream<T> {
  return new TestStream(coder);
}

/**
 * Several streams by one script.
 *
 * @example
 * ```ts
 * const streams = testStreams<{ names: string; prices: number }>("names", "prices");
 * const { names } = p.apply(streams.at("names", 0, "a").watermark("prices", 10).at("prices", 10, 99));
 * names.apply(assertElements(["a"]));
 * ```
 */
export function testStreams<Streams extends Readonly<Record<string, unknown>>>(
  ...tags: readonly (keyof Streams & string)[]
): TestStreams<Streams> {
  return new TestStreams<Streams>(tags);
}

function checkInstant(instant: number, what: string): void {
  if (!(Number.isInteger(instant) && instant >= MIN_TIMESTAMP && instant <= MAX_TIMESTAMP))
    throw new RangeError(`a ${what} is a whole number of milliseconds, from ${MIN_TIMESTAMP} to ${MAX_TIMESTAMP}, not ${instant}`);
}
