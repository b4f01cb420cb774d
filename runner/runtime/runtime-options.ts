import { tmpdir } from "node:os";
import { getHeapStatistics } from "node:v8";

/** How much may be in flight and how long anything may go on without a break. Defaults suit bulk work at low latency. */
export interface RuntimeOptions {
  /** Bytes that may be under way on one channel before its sender has to wait. */
  readonly channelBytes: number;
  /** Bytes of a batch after which it is sent. */
  readonly batchBytes: number;
  /** A bundle ends after this many elements, … */
  readonly bundleElements: number;
  /** … or this many where the stage has state, if that is less: what a bundle has changed there should be young when it is let go, … */
  readonly statefulBundleElements: number;
  /** … this many milliseconds, or when nothing waits to be processed: whichever comes first. */
  readonly bundleMs: number;
  /**
   * Those of a source end after this many, unless their end takes so long that more of them would cost throughput. So little that what the
   * elements set in motion, timers among it, is still in the processor's cache when event time comes to it.
   */
  readonly sourceBundleMs: number;
  /**
   * A bundle also ends when its output, or its input, has about this many bytes: both are kept until it is committed. An element that
   * alone puts out several times as much makes its bundle one whose output goes before its end, and which is not tried again.
   */
  readonly bundleBytes: number;
  /**
   * What holds for bundles of stages in another process instead, where each one costs round trips: so many elements, …
   */
  readonly remoteBundleElements: number;
  /** … or bytes, at most, … */
  readonly remoteBundleBytes: number;
  /** … and as many as take this many milliseconds, where somebody may wait for the result, or for a checkpoint, … */
  readonly remoteBundleMs: number;
  /** … or this many, where nobody does. */
  readonly remoteBatchMs: number;
  /** How often a bundle is tried in all before its failure fails the run. With 1 nothing is tried again. */
  readonly bundleAttempts: number;
  /** Milliseconds before the third attempt. The second one comes at once; each further one waits four times as long, up to 250 ms. */
  readonly retryDelayMs: number;
  /** Milliseconds for which one task runs before the others of its worker have their turn. */
  readonly taskSliceMs: number;
  /** Milliseconds for which a worker runs tasks before it lets input, timers and messages through. */
  readonly turnMs: number;
  /**
   * Bytes, by estimate, that groupings and state of a worker may keep in memory; what is beyond goes to the spill folder. Default: a quarter of
   * what V8 lets the heap grow to.
   */
  readonly stateBytes: number;
  /** Folder below which a worker makes its own for what it spills; default: the system's for temporary files. */
  readonly spillFolder: string;
  /**
   * Milliseconds for which inputs that have come to a checkpoint's barrier wait for others that have not; then the task goes on, and what these
   * others bring of the epoch is in the snapshot as it is. With Infinity they wait however long it takes.
   */
  readonly alignmentMs: number;
  /** Milliseconds without any progress of the job after which it says what it waits for. */
  readonly stallWarningMs: number;
  /**
   * Whether processing time is virtual: it starts at zero, and goes on to the next instant that somebody waits for when nothing else can
   * happen. So what takes hours takes no time in a test. In one process alone; it is so for a pipeline with a TestStream, whose script moves
   * time as long as it lasts.
   */
  readonly virtualTime?: boolean;
  /**
   * Where it is given, bundles end early and tasks and channels take turns at random, as this number says: so that tests can see whether
   * results depend on what is not promised. Only in one process is that the same each time.
   */
  readonly shuffleSeed?: number;
}

/** What a run has where its options say nothing. */
export const DEFAULT_RUNTIME_OPTIONS: RuntimeOptions = {
  channelBytes: 1 << 20,
  batchBytes: 32 << 10,
  bundleElements: 16_384,
  statefulBundleElements: 2048,
  bundleMs: 100,
  sourceBundleMs: 0.5,
  bundleBytes: 1 << 20,
  remoteBundleElements: 1 << 18,
  remoteBundleBytes: 16 << 20,
  remoteBundleMs: 500,
  remoteBatchMs: 5000,
  bundleAttempts: 4,
  retryDelayMs: 10,
  taskSliceMs: 5,
  turnMs: 10,
  stateBytes: Math.floor(getHeapStatistics().heap_size_limit / 4),
  spillFolder: tmpdir(),
  alignmentMs: 1000,
  stallWarningMs: 10_000,
};
