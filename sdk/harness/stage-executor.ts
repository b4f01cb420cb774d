// One open stage: its operators, composed from the last consumer back to the inputs.
import type { Coder } from "../../portability/coders/index.js";
import {
  renderElement,
  UserCodeError,
  type FiredTimer,
  type Progress,
  type StageContext,
  type StageCounts,
  type StageDescriptor,
  type StageExecutor,
} from "../../portability/stage-host/index.js";
import type { Metric } from "../../portability/metrics/index.js";
import type { Receiver } from "../../portability/values/index.js";
import { metricsInUse, StepMetrics } from "../metrics/step-metrics.js";
import { SIDE_INPUT_TAG } from "../model/side-input.js";
import type { Counter, Operator, OperatorScope } from "./operator.js";
import { createOperator } from "./operators.js";
import type { Program } from "./program.js";

/** Who reads a PCollection: an operator, or an output of the stage. */
type Consumer = Pick<Operator, "receive" | "counter">;

export function openStage(
  descriptor: StageDescriptor,
  program: Program,
  coderOf: (coderId: string) => Coder<unknown>,
  context: StageContext,
  atEnd: OperatorScope["atEnd"],
): EmbeddedStage {
  const stage = new EmbeddedStage();
  const consumers = new Map<string, Consumer[]>();
  const consume = (pcollection: string, consumer: Consumer): void => {
    const list = consumers.get(pcollection);
    if (list === undefined) consumers.set(pcollection, [consumer]);
    else list.push(consumer);
  };
  for (const output of descriptor.outputs) {
    const receiver = context.outputs.get(output);
    if (receiver !== undefined) consume(output, { receive: receiver });
  }
  const receiverOf = (pcollection: string): Receiver => {
    const list = consumers.get(pcollection) ?? [];
    const counter = list.length === 1 ? list[0].counter : undefined;
    if (counter === undefined)
      return counted(
        list.map(({ receive }) => receive),
        stage.counter(pcollection),
      );
    stage.setCounter(pcollection, counter);
    return list[0].receive;
  };

  const operators: Operator[] = [];
  for (const id of [...descriptor.transformIds].reverse()) {
    const transform = descriptor.components.transforms?.[id];
    if (transform === undefined || transform === null)
      throw new Error(`stage ${descriptor.id} names transform ${id}, which the pipeline does not have`);
    const outputs = new Map(Object.entries(transform.outputs ?? {}).map(([tag, pcollection]) => [tag, receiverOf(pcollection)]));
    const name = transform.uniqueName ?? id;
    const operator = createOperator(
      transform,
      outputs,
      program,
      coderOf,
      descriptor,
      scopeOf(name, program, context, stage, operators, atEnd),
    );
    operators.unshift(operator);
    stage.names.set(operator, name);
    for (const [tag, pcollection] of Object.entries(transform.inputs ?? {}))
      if (!tag.startsWith(SIDE_INPUT_TAG)) consume(pcollection, operator);
  }
  for (const input of descriptor.inputs) stage.inputs.set(input, receiverOf(input));
  stage.operators = operators;
  stage.stateful = operators.find((operator) => operator.fire !== undefined);
  stage.splittable = operators.find((operator) => operator.split !== undefined);
  stage.blockers = operators.filter((operator) => operator.blocked !== undefined);
  return stage;
}

/** @param operators those of the stage so far: all that can be behind this one */
function scopeOf(
  name: string,
  program: Program,
  context: StageContext,
  stage: EmbeddedStage,
  operators: readonly Operator[],
  atEnd: OperatorScope["atEnd"],
): OperatorScope {
  const behind = operators.filter((operator) => operator.isBlocked !== undefined);
  const full = (): Operator | undefined => behind.find((operator) => operator.isBlocked?.() === true);
  return {
    name,
    allowedSkewMs: 0,
    shouldPause: () => context.shouldPause() || full() !== undefined,
    async resume() {
      for (let operator = full(); operator !== undefined; operator = full()) await operator.blocked?.();
      if (context.shouldPause()) await context.resume();
    },
    metrics: metricsInUse() ? stage.stepMetrics(name) : undefined,
    sideInput(pcollectionId) {
      const sideInput = context.sideInputs.get(pcollectionId);
      if (sideInput === undefined) throw new Error(`transform "${name}" reads side input ${pcollectionId}, which its stage is not given`);
      return sideInput;
    },
    keyed: context.keyed,
    restrictions: context.restrictions,
    onCommitted: context.onCommitted?.bind(context),
    isDraining: () => context.isDraining?.() === true,
    atEnd,
    checkpoints: context.checkpoints,
    stopped: () => stage.stopped,
    userError: (action, cause, element) =>
      cause instanceof UserCodeError
        ? cause
        : new UserCodeError(
            { transform: name, element: element === undefined ? undefined : renderElement(element), line: program.site(name) },
            action,
            cause,
          ),
    waits: () => void (stage.mayBeBlocked = true),
    fail: (error) => stage.fail(error),
  };
}

/** Counts elements and hands them to every consumer. */
function counted(consumers: readonly Receiver[], counter: Counter): Receiver {
  if (consumers.length === 0) return () => void counter.n++;
  if (consumers.length === 1) {
    const only = consumers[0];
    return (value, meta) => {
      counter.n++;
      only(value, meta);
    };
  }
  return (value, meta) => {
    counter.n++;
    for (let i = 0; i < consumers.length; i++) consumers[i](value, meta);
  };
}

class EmbeddedStage implements StageExecutor {
  operators: readonly Operator[] = [];
  blockers: readonly Operator[] = [];
  /** The one that timers are for. */
  stateful: Operator | undefined;
  /** The one that restrictions are for. */
  splittable: Operator | undefined;
  readonly inputs = new Map<string, Receiver>();
  readonly names = new Map<Operator, string>();
  private readonly counters = new Map<string, Counter>();
  /** What the counters were when a bundle was finished last, in their order. */
  private readonly finishedCounts: number[] = [];
  private readonly steps = new Map<string, StepMetrics>();
  private failure: Error | undefined;
  /** False as long as all calls have ended when they returned: then nobody is asked for each element. */
  mayBeBlocked = false;
  stopped = false;

  counter(pcollection: string): Counter {
    let counter = this.counters.get(pcollection);
    if (counter === undefined) this.counters.set(pcollection, (counter = { n: 0 }));
    return counter;
  }

  setCounter(pcollection: string, counter: Counter): void {
    this.counters.set(pcollection, counter);
  }

  stepMetrics(transform: string): StepMetrics {
    let step = this.steps.get(transform);
    if (step === undefined) this.steps.set(transform, (step = new StepMetrics(transform)));
    return step;
  }

  fail(error: Error): void {
    this.failure ??= error;
    this.stopped = this.mayBeBlocked = true;
  }

  async setup(): Promise<void> {
    for (const operator of this.operators) await operator.setup?.();
  }

  receiver(pcollectionId: string): Receiver {
    const receiver = this.inputs.get(pcollectionId);
    if (receiver === undefined) throw new Error(`stage has no input ${pcollectionId}`);
    return receiver;
  }

  fire(timer: FiredTimer): void {
    this.stateful?.fire?.(timer);
  }

  split(fraction: number): boolean {
    return this.splittable?.split?.(fraction) === true;
  }

  progress(): Progress | undefined {
    return this.splittable?.progress?.();
  }

  startBundle(): void | Promise<void> {
    return inOrder(this.operators, 0, (operator) => operator.startBundle?.());
  }

  blocked(): Promise<void> | undefined {
    return this.mayBeBlocked ? this.blockedNow() : undefined;
  }

  private blockedNow(): Promise<void> | undefined {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    for (let i = 0; i < this.blockers.length; i++) {
      const promise = this.blockers[i].blocked?.();
      if (promise !== undefined) return promise;
    }
    return undefined;
  }

  describeWait(): string | undefined {
    for (const operator of this.operators) {
      const pending = operator.pending?.();
      if (pending !== undefined)
        return `a promise of transform "${this.names.get(operator)}" for the element ${renderElement(pending.value)}`;
    }
    return undefined;
  }

  finishBundle(): void | Promise<void> {
    const finished = inOrder(this.operators, 0, (operator) => operator.finishBundle?.());
    return finished === undefined ? this.finished() : finished.then(() => this.finished());
  }

  private finished(): void {
    if (this.failure !== undefined) throw this.failure;
    let i = 0;
    for (const counter of this.counters.values()) this.finishedCounts[i++] = counter.n;
    for (const step of this.steps.values()) step.commit();
  }

  abort(): void {
    this.stopped = true;
    for (const operator of this.operators) operator.abort?.();
  }

  elementCounts(): ReadonlyMap<string, number> {
    return new Map([...this.counters].map(([pcollection, counter]) => [pcollection, counter.n]));
  }

  metrics(): readonly Metric[] {
    return [...this.steps.values()].flatMap((step) => step.attempted());
  }

  committed(): StageCounts {
    return {
      elements: new Map([...this.counters.keys()].map((pcollection, i) => [pcollection, this.finishedCounts[i] ?? 0])),
      metrics: [...this.steps.values()].flatMap((step) => step.committed()),
    };
  }

  async close(): Promise<void> {
    for (const operator of this.operators) await operator.teardown?.();
    if (!this.stopped) for (const step of this.steps.values()) step.commit(); // what `teardown` has counted
  }
}

/** Calls `step` on each operator in turn, without a promise as long as none returns one. */
function inOrder(operators: readonly Operator[], from: number, step: (operator: Operator) => void | Promise<void>): void | Promise<void> {
  for (let i = from; i < operators.length; i++) {
    const promise = step(operators[i]);
    if (promise !== undefined) return promise.then(() => inOrder(operators, i + 1, step));
  }
}

export type { EmbeddedStage };
