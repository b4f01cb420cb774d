import type { StageHost } from "../../portability/stage-host/index.js";
import { dialWorker, LinkEndpoint, LinkLostError, Worker, type Hello, type Link, type Task } from "../runtime/index.js";
import { BlockPool, crashPoint, newPiece } from "../checkpoint/index.js";
import { WriterPool } from "../snapshot/index.js";
import { Deployment, type DeployedCheckpoints } from "./deployment.js";
import { planDeployment, type DeploymentPlan } from "./deployment-plan.js";
import { RestoredState } from "./restored-state.js";
import { TaskSnapshots } from "./task-snapshots.js";
import type { DeployMessage, FromWorker, ToWorker, WorkerReport } from "./messages.js";

const REPORT_EVERY_MS = 500;
/** Retries that are told one by one; the others are counted only. */
const RETRIES_TOLD = 20;

/**
 * One worker of one job: does what the coordinator's messages say (messages.ts) and reports back. The same class runs in
 * the coordinator's process and in one of its own.
 *
 * - A1. `failed` is said once, with the first error; from then on no task runs.
 * - A2. `stopped` is said once everything is closed: executors, host, links, endpoint. What was still being opened when `stop` came is
 *   closed as soon as it is open.
 * @internal
 */
export class WorkerAgent {
  private deploy!: DeployMessage;
  private plan!: DeploymentPlan;
  private host: StageHost | undefined;
  private endpoint: LinkEndpoint | undefined;
  private worker: Worker | undefined;
  private deployment: Deployment | undefined;
  private readonly links = new Map<number, Link>();
  private linkUp: () => void = () => {};
  private reporting: NodeJS.Timeout | undefined;
  private restored: RestoredState | undefined;
  private snapshots: TaskSnapshots | undefined;
  private readonly writers = new WriterPool();
  private readonly blocks = new BlockPool();
  /** The epoch behind which another one has been asked for. */
  private wantedAfter = -1;
  private undone = 0;
  private retriesTold = 0;
  private failed = false;
  private stopping = false;

  /**
   * @param openHost makes the stage host; it is closed with the worker.
   * @param send says something to the coordinator.
   */
  constructor(
    private readonly openHost: () => Promise<StageHost>,
    private readonly send: (message: FromWorker) => void,
  ) {}

  receive(message: ToWorker): void {
    this.handle(message).catch((error: unknown) => this.fail(error));
  }

  private handle(message: ToWorker): Promise<void> {
    switch (message.type) {
      case "deploy":
        return this.prepare(message);
      case "connect":
        return this.connect(message.addresses);
      case "start":
        return this.start();
      case "checkpoint":
        return this.beginEpoch(message.epoch);
      case "published":
        return this.published(message.epoch);
      case "drain":
        return this.drain();
      case "stop":
        return this.stop(message.isComplete);
    }
  }

  private async prepare(deploy: DeployMessage): Promise<void> {
    this.deploy = deploy;
    this.plan = planDeployment(deploy.topology, deploy.workers);
    const host = await this.openHost();
    if (this.stopping) return await host.close(false); // A2
    this.host = host;
    if (deploy.workers > 1) {
      const endpoint = await LinkEndpoint.open(this.hello(), (worker, link) => this.addLink(worker, link));
      if (this.stopping) return await endpoint.close(); // A2
      this.endpoint = endpoint;
    }
    this.send({ type: "listening", address: this.endpoint?.address });
  }

  /** Of two workers the one with the lower index dials. */
  private async connect(addresses: readonly (string | undefined)[]): Promise<void> {
    const { worker: self, workers, topology, options } = this.deploy;
    const accepted = new Promise<void>((resolve) => (this.linkUp = resolve));
    if (this.links.size === workers - 1) this.linkUp(); // all of them dialled before this message came
    for (let other = self + 1; other < workers; other++) this.addLink(other, await this.dial(other, addresses[other]!));
    if (workers > 1) await accepted;
    await this.closeEndpoint(); // every worker of the job is there: nobody else may come, and nothing is left to clean up
    if (this.stopping) return;
    const listener = {
      taskDone: () => this.taskDone(),
      taskFailed: (_task: Task, error: unknown) => this.fail(error),
      taskRetries: ({ id }: Task, { message }: Error) => this.tellRetry(id, message),
    };
    const owner = (this.worker = new Worker(options, listener));
    const onError = (error: unknown): void => this.fail(error);
    const restored = await this.openRestored();
    if (this.stopping) return await restored?.close(); // A2
    this.restored = restored;
    const parts = {
      topology,
      plan: this.plan,
      worker: self,
      host: this.host!,
      links: this.links,
      options,
      owner,
      onError,
      warn: (text: string) => this.send({ type: "warning", text }),
      checkpoints: this.deployedCheckpoints(),
    };
    this.deployment = new Deployment(parts);
    this.reporting = setInterval(() => this.send({ type: "report", report: this.report() }), REPORT_EVERY_MS);
    await this.deployment.open();
    await this.restored?.close();
    this.send({ type: "ready" });
  }

  private dial(other: number, address: string): Promise<Link> {
    return dialWorker(address, this.hello(), other).catch((cause: unknown) => {
      throw new LinkLostError(`worker ${other} cannot be reached: ${(cause as Error).message}`, { cause });
    });
  }

  private async openRestored(): Promise<RestoredState | undefined> {
    const { checkpoints } = this.deploy;
    return checkpoints?.from === undefined ? undefined : await RestoredState.open(checkpoints.folder, checkpoints.from);
  }

  private deployedCheckpoints(): DeployedCheckpoints | undefined {
    const { checkpoints, generation } = this.deploy;
    if (checkpoints === undefined) return undefined;
    return {
      told: { job: checkpoints.job, generation, from: checkpoints.from?.epoch ?? 0 },
      onBarrier: (task, epoch, lags) => this.snapshotsOf(epoch).freeze(task, lags),
      onCaughtUp: (task, epoch) => this.snapshotsOf(epoch).caughtUp(task),
      onWanted: () => this.wantCheckpoint(),
      from: this.restored,
    };
  }

  private async beginEpoch(epoch: number): Promise<void> {
    if (this.stopping || this.failed) return;
    if (epoch < (this.snapshots?.epoch ?? 0)) return; // barriers have told of it, and of the next one
    this.snapshotsOf(epoch);
    for (const task of this.deployment!.tasks) task.requestBarrier(epoch);
  }

  /** Those of the epoch under way; a barrier may bring it before the coordinator's word does. */
  private snapshotsOf(epoch: number): TaskSnapshots {
    if (this.snapshots?.epoch === epoch) return this.snapshots;
    const { checkpoints, generation, worker } = this.deploy;
    const piece = newPiece(checkpoints!.folder, epoch, generation, `w${worker}`, this.blocks);
    const snapshots = (this.snapshots = new TaskSnapshots(epoch, this.deployment!.snapshotTasks, piece, this.writers));
    snapshots.take().then(
      (snapshot) => {
        this.send({ type: "snapshotted", snapshot });
        crashPoint("snapshotted");
      },
      (cause: unknown) =>
        this.fail(new Error(`the checkpoint of epoch ${epoch} cannot be written: ${(cause as Error).message}`, { cause })),
    );
    return snapshots;
  }

  /** Said once before each epoch. */
  private wantCheckpoint(): void {
    const after = this.snapshots?.epoch ?? 0;
    if (this.wantedAfter === after) return;
    this.wantedAfter = after;
    this.send({ type: "checkpoint-wanted" });
  }

  private async published(epoch: number): Promise<void> {
    if (this.stopping || this.failed) return;
    for (const task of this.deployment!.tasks) task.published(epoch);
    crashPoint("published");
  }

  private async start(): Promise<void> {
    if (this.stopping) return;
    this.undone = this.deployment!.tasks.length;
    this.deployment!.start();
    if (this.undone === 0) this.allDone();
  }

  private async drain(): Promise<void> {
    if (!this.stopping && !this.failed) this.deployment!.beginDrain();
  }

  private async stop(isComplete: boolean): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    clearInterval(this.reporting);
    this.worker?.stop();
    for (const link of this.links.values()) link.close();
    await Promise.all((this.deployment?.tasks ?? []).map((task) => task.stop()));
    await this.snapshots?.abandon();
    await this.restored?.close();
    this.deployment?.close();
    await this.closeEndpoint();
    await this.host?.close(isComplete);
    this.send({ type: "stopped" }); // A2
  }

  private taskDone(): void {
    if (--this.undone === 0) this.allDone();
  }

  private tellRetry(task: string, error: string): void {
    if (this.retriesTold++ < RETRIES_TOLD) this.send({ type: "retries", task, error });
  }

  private allDone(): void {
    clearInterval(this.reporting);
    this.send({ type: "done", report: this.report() });
  }

  /** A1 */
  private fail(error: unknown): void {
    if (this.failed || this.stopping) return;
    this.failed = true;
    clearInterval(this.reporting);
    this.worker?.stop();
    this.send({ type: "failed", error });
  }

  private addLink(worker: number, link: Link): void {
    if (this.stopping || this.links.has(worker) || worker >= this.deploy.workers) {
      link.close();
      return;
    }
    this.links.set(worker, link);
    if (this.links.size === this.deploy.workers - 1) this.linkUp();
  }

  private async closeEndpoint(): Promise<void> {
    const { endpoint } = this;
    this.endpoint = undefined;
    await endpoint?.close();
  }

  private hello(): Hello {
    const { job, generation, worker, token } = this.deploy;
    return { job, generation, worker, token };
  }

  private report(): WorkerReport {
    const { tasks, opening } = this.deployment!;
    let framesSent = 0;
    let framesReceived = 0;
    for (const link of this.links.values()) {
      framesSent += link.framesSent;
      framesReceived += link.framesReceived;
    }
    return {
      tasks: tasks.map((task) => task.counts()),
      idle:
        this.worker!.isIdle &&
        !tasks.some((task) => task.waitsForUser || task.waitsForTime || task.waitsForSource || task.waitsForCheckpoint),
      turns: this.worker!.turns,
      framesSent,
      framesReceived,
      epochWaitsFor: this.snapshots?.waitsFor ?? [],
      waits:
        opening !== undefined
          ? [{ task: opening, waitsFor: "setup in user code" }]
          : tasks.filter((task) => !task.isDone).map((task) => ({ task: task.id, waitsFor: task.describeWait() })),
    };
  }
}
