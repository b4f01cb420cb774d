import {
  CheckpointFolder,
  crashPoint,
  MANIFEST_VERSION,
  ManifestVersionError,
  PieceMerger,
  startCheckpoints,
  stepCheckpoints,
  type CheckpointEffect,
  type CheckpointEvent,
  type CheckpointState,
  type ComponentMark,
  type Manifest,
} from "../checkpoint/index.js";
import { PipelineError } from "../../portability/stage-host/index.js";
import type { TaskCounts } from "../runtime/index.js";
import type { Topology } from "../topology/index.js";
import type { WorkerSnapshot } from "./task-snapshots.js";

/** An epoch that takes longer is worth a word. */
const SLOW_MS = 30_000;
/** Tasks named then. */
const NAMED = 5;

/** Where and how often a job takes checkpoints. */
export interface CheckpointOptions {
  readonly folder: string;
  /** Milliseconds from the end of one checkpoint to the next. */
  readonly intervalMs: number;
  /** Of the pipeline: another one does not go on from its checkpoints. */
  readonly fingerprint: string;
}

/** What a job's checkpoints ask of its coordinator. */
export interface CheckpointHooks {
  /** All workers are to begin the epoch. */
  trigger(epoch: number): void;
  /** The epoch is published: what waits for that may be done. */
  announce(epoch: number): void;
  /** The last epoch is published. */
  complete(): void;
  failed(error: unknown): void;
  /** Something that people may want to know. */
  say(text: string): void;
  /** An epoch is published: how long that took from its beginning, in milliseconds, and how many bytes have been written for it. */
  published(epoch: number, milliseconds: number, bytes: number): void;
  /** What the epoch under way waits for, for people. */
  epochWaitsFor(): readonly string[];
  /** What tasks have counted in all runs before this one, and what of the worker's tasks is to be added. */
  countsBefore(): readonly TaskCounts[];
}

/**
 * The checkpoints of one generation of a job: carries out what the protocol decides (checkpoint-protocol.ts).
 *
 * - J1. Effects of one step are carried out in order; publishing and tidying are waited for, and nothing else is.
 * - J2. After {@link stop} nothing is published: what is being written then is not heard of.
 */
export class JobCheckpoints {
  private state: CheckpointState<WorkerSnapshot>;
  private timer: NodeJS.Timeout | undefined;
  private warning: NodeJS.Timeout | undefined;
  private begunAt = 0;
  private published: Manifest | undefined;
  private readonly components: readonly ComponentMark[];
  private readonly merger: PieceMerger;
  private tidying: Promise<void> = Promise.resolve();

  private constructor(
    private readonly options: CheckpointOptions,
    private readonly folder: CheckpointFolder,
    /** What the job goes on from. */
    readonly from: Manifest | undefined,
    private readonly topology: Topology,
    workers: number,
    private readonly hooks: CheckpointHooks,
  ) {
    this.state = startCheckpoints(workers, from?.epoch ?? 0);
    this.published = from;
    this.components = topology.components.map(({ id, parallelism }): ComponentMark => {
      const before = from?.components.find((each) => each.id === id);
      const isSame = before === undefined || before.parallelism === parallelism;
      return { id, parallelism, since: isSame ? (before?.since ?? 0) : from!.epoch + 1 };
    });
    const since = Object.fromEntries(this.components.map(({ id, since: epoch }) => [id, epoch]));
    const { path, generation } = folder;
    this.merger = new PieceMerger({ folder: path, generation, since }, ({ message }) =>
      hooks.say(`pieces of checkpoints in ${path} could not be merged, which is tried again: ${message}`),
    );
  }

  /**
   * Begins the next generation, from the last epoch that is there in full.
   *
   * @param planned the topology; its sources get as many readers as they had
   * @param isThorough whether pieces are read before workers do, as one of them has found some damaged
   * @throws PipelineError if the folder is another pipeline's, or cannot be used
   */
  static async begin(
    options: CheckpointOptions,
    planned: Topology,
    workers: number,
    hooks: CheckpointHooks,
    isThorough = false,
  ): Promise<{ readonly checkpoints: JobCheckpoints; readonly topology: Topology }> {
    const { folder: path } = options;
    const use = <T>(promise: Promise<T>): Promise<T> => promise.catch((error: unknown) => cannotBeUsed(path, error));
    checkFits(await use(CheckpointFolder.look(path)), options, planned); // before a generation begins: it ends whatever runs there
    const folder = await use(CheckpointFolder.open(path));
    crashPoint("generation-begun");
    const { manifest: from, damaged } = await use(folder.find(isThorough));
    for (const what of damaged) hooks.say(`a checkpoint in ${path} cannot be used, an earlier one is looked for: ${what}`);
    if (damaged.length > 0 && from === undefined)
      throw new PipelineError(
        "checkpoint_damaged",
        `no checkpoint in ${path} can be used any more (${damaged[0]}); to begin anew, name another folder or delete this one`,
      );
    checkFits(from, options, planned);
    await use(folder.goOn(from));
    crashPoint("gone-on");
    if (from?.isLast === true) await use(folder.tidy(from)); // the run that has come to the end may not have come to this
    const topology = from === undefined ? planned : withReadersOf(planned, from);
    return { checkpoints: new JobCheckpoints(options, folder, from, topology, workers, hooks), topology };
  }

  /** @see CheckpointFolder.job */
  get job(): string {
    return this.folder.job;
  }

  get generation(): number {
    return this.folder.generation;
  }

  /** The job runs: epochs may begin. */
  start(): void {
    this.wait();
  }

  /** A worker has taken its part of an epoch. */
  taken(worker: number, snapshot: WorkerSnapshot): void {
    this.step({ type: "taken", worker, epoch: snapshot.epoch, part: snapshot });
  }

  /** The next epoch is waited for: it begins at once, or behind the one under way. */
  wanted(): void {
    this.step({ type: "tick" });
  }

  /** All tasks have come to their end. */
  over(): void {
    this.step({ type: "over" });
  }

  /** J2; resolves when nothing is being written any more. */
  async stop(): Promise<void> {
    clearTimeout(this.timer);
    clearTimeout(this.warning);
    this.step({ type: "stop" });
    await this.merger.stop();
    await this.tidying;
  }

  private step(event: CheckpointEvent<WorkerSnapshot>): void {
    const { next, effects } = stepCheckpoints(this.state, event);
    this.state = next;
    for (const effect of effects) this.carryOut(effect);
  }

  /** J1 */
  private carryOut(effect: CheckpointEffect<WorkerSnapshot>): void {
    switch (effect.type) {
      case "trigger":
        this.begunAt = performance.now();
        this.warnIfSlow(effect.epoch);
        return this.hooks.trigger(effect.epoch);
      case "publish":
        void this.publish(effect).catch((error: unknown) => this.failed(error));
        return;
      case "announce":
        crashPoint("announcing");
        this.hooks.announce(effect.epoch);
        crashPoint("announced");
        return this.wait();
      case "tidy":
        return this.tidy(this.published!);
      case "complete":
        clearTimeout(this.timer);
        clearTimeout(this.warning);
        crashPoint("completing");
        void this.tidying.then(() => this.hooks.complete());
    }
  }

  private async publish({ epoch, parts, isLast }: Extract<CheckpointEffect<WorkerSnapshot>, { type: "publish" }>): Promise<void> {
    const { folder, components, topology } = this;
    const snapshots = parts.map(({ part }) => part);
    const pieces = snapshots.flatMap(({ piece }) => (piece === undefined ? [] : [{ ...piece, epoch }]));
    const manifest: Manifest = {
      version: MANIFEST_VERSION,
      fingerprint: this.options.fingerprint,
      epoch,
      generation: folder.generation,
      time: Date.now(),
      keyGroups: topology.keyGroups,
      components,
      tasks: snapshots.flatMap(({ tasks }) => tasks),
      pieces: [...this.merger.apply(this.published?.pieces ?? []), ...pieces],
      isLast,
      counts: [...this.hooks.countsBefore(), ...snapshots.flatMap(({ counts }) => counts)],
    };
    await folder.publish(manifest);
    this.published = manifest;
    const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0);
    this.hooks.published(epoch, performance.now() - this.begunAt, bytes);
    if (!isLast) this.merger.published(manifest.pieces);
    this.step({ type: "published", epoch });
  }

  private warnIfSlow(epoch: number): void {
    clearTimeout(this.warning);
    this.warning = setTimeout(() => {
      if (this.state.phase !== "taking" || this.state.epoch !== epoch) return;
      const waitsFor = this.hooks.epochWaitsFor();
      const first = waitsFor.slice(0, NAMED).join(", ") + (waitsFor.length > NAMED ? ` and ${waitsFor.length - NAMED} more` : "");
      this.hooks.say(`the checkpoint of epoch ${epoch} is not complete after ${SLOW_MS / 1000} s: it waits for ${first}`);
    }, SLOW_MS);
  }

  private tidy(manifest: Manifest): void {
    const tidied = this.tidying.then(() => this.folder.tidy(manifest)).then(() => crashPoint("tidied"));
    this.tidying = tidied.catch((error: unknown) => this.failed(error));
  }

  private wait(): void {
    if (this.state.phase === "stopped") return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.step({ type: "tick" }), this.options.intervalMs);
  }

  private failed(error: unknown): void {
    if (this.state.phase === "stopped") return;
    this.hooks.failed(error);
  }
}

function cannotBeUsed(path: string, cause: unknown): never {
  if (cause instanceof ManifestVersionError)
    throw new PipelineError(
      "checkpoint_version",
      `the last checkpoint in ${path} was written by another version of Beamstorm (${cause.message}); go on with that version, or name another folder to begin anew`,
      { cause },
    );
  throw new PipelineError("checkpoint_folder", `the folder for checkpoints, ${path}, cannot be used: ${(cause as Error).message}`, {
    cause,
  });
}

/** @throws PipelineError if the pipeline cannot go on from there */
function checkFits(from: Manifest | undefined, { folder, fingerprint }: CheckpointOptions, { keyGroups }: Topology): void {
  if (from === undefined) return;
  if (from.fingerprint !== fingerprint)
    throw new PipelineError(
      "checkpoint_of_another_pipeline",
      `the checkpoints in ${folder} are of another pipeline, or of another version of this one; name another folder, or delete this one to begin anew`,
    );
  if (from.keyGroups !== keyGroups)
    throw new PipelineError(
      "checkpoint_key_groups",
      `the checkpoints in ${folder} have ${from.keyGroups} key groups, the pipeline ${keyGroups}`,
    );
}

/** A source has the readers that its checkpoint speaks of, however many workers there are. */
function withReadersOf(topology: Topology, from: Manifest): Topology {
  const parallelism = (id: string): number | undefined => from.components.find((each) => each.id === id)?.parallelism;
  const components = topology.components.map((component) =>
    component.head.kind === "read" ? { ...component, parallelism: parallelism(component.id) ?? component.parallelism } : component,
  );
  const tasksOf = new Map(components.map((component) => [component.id, component.parallelism]));
  const streams = topology.streams.map((stream) =>
    stream.grouping === "direct" && tasksOf.get(stream.from) !== tasksOf.get(stream.to)
      ? { ...stream, grouping: "shuffle" as const }
      : stream,
  );
  return { ...topology, components, streams };
}
