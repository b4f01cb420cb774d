import type { StageHost } from "../../portability/stage-host/index.js";
import { dialWorker, LinkEndpoint, Worker, type Hello, type Link, type Task } from "../runtime/index.js";
import { Deployment } from "./deployment.js";
import { planDeployment, type DeploymentPlan } from "./deployment-plan.js";
import type { DeployMessage, FromWorker, ToWorker, WorkerReport } from "./messages.js";

const REPORT_EVERY_MS = 500;
/** Retries that are told one by one; the others are counted only. */
const RETRIES_TOLD = 20;

/**
 * One worker of one job: does what the coordinator's messages say (messages.ts) and reports back. The same class runs in
 * the coordinator's process and in one of its own.
 *
 * - A1. `failed` is said once, with the first error; from then on no task runs.
 * - A2. `stopped` is said once everything is closed: executors, host, links, endpoint.
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
      case "stop":
        return this.stop();
    }
  }

  private async prepare(deploy: DeployMessage): Promise<void> {
    this.deploy = deploy;
    this.plan = planDeployment(deploy.topology, deploy.workers);
    this.host = await this.openHost();
    if (deploy.workers > 1) this.endpoint = await LinkEndpoint.open(this.hello(), (worker, link) => this.addLink(worker, link));
    this.send({ type: "listening", address: this.endpoint?.address });
  }

  /** Of two workers the one with the lower index dials. */
  private async connect(addresses: readonly (string | undefined)[]): Promise<void> {
    const { worker: self, workers, topology, options } = this.deploy;
    const accepted = new Promise<void>((resolve) => (this.linkUp = resolve));
    if (this.links.size === workers - 1) this.linkUp(); // all of them dialled before this message came
    for (let other = self + 1; other < workers; other++) this.addLink(other, await dialWorker(addresses[other]!, this.hello(), other));
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
    const parts = {
      topology,
      plan: this.plan,
      worker: self,
      host: this.host!,
      links: this.links,
      options,
      owner,
      onError,
    };
    this.deployment = new Deployment(parts);
    this.reporting = setInterval(() => this.send({ type: "report", report: this.report() }), REPORT_EVERY_MS);
    await this.deployment.open();
    this.send({ type: "ready" });
  }

  private async start(): Promise<void> {
    if (this.stopping) return;
    this.undone = this.deployment!.tasks.length;
    this.deployment!.start();
    if (this.undone === 0) this.allDone();
  }

  private async stop(): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    clearInterval(this.reporting);
    this.worker?.stop();
    for (const link of this.links.values()) link.close();
    await Promise.all((this.deployment?.tasks ?? []).map((task) => task.stop()));
    this.deployment?.close();
    await this.closeEndpoint();
    await this.host?.close();
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
      idle: this.worker!.isIdle && !tasks.some((task) => task.waitsForUser || task.waitsForTime || task.waitsForSource),
      turns: this.worker!.turns,
      framesSent,
      framesReceived,
      waits:
        opening !== undefined
          ? [{ task: opening, waitsFor: "setup in user code" }]
          : tasks.filter((task) => !task.isDone).map((task) => ({ task: task.id, waitsFor: task.describeWait() })),
    };
  }
}
