// Which transform's function is running: what a metric belongs to.
//
// M1. Nothing here costs anything while no metric has been made: stages that open then are not instrumented.
// M2. A function runs between `enter` and `leave`; what it goes on to do after it has returned finds its transform by
//     AsyncLocalStorage, if it was called `later`.
// M3. What a bundle has counted is kept apart until it is committed, so that a failed one can be told from the others.
import { AsyncLocalStorage } from "node:async_hooks";
import { mergeMetrics, type Metric } from "../../portability/metrics/index.js";

/** What one metric holds for one transform. */
export interface MetricCell {
  /** The value so far; undefined while there is none. */
  report(): Pick<Metric, "type" | "value"> | undefined;
  /** Adds its value to that of another cell of the same metric, and begins anew. */
  moveTo(other: this): void;
}

/** Identity of a metric, and how its cells are made. */
export interface MetricDefinition<C extends MetricCell> {
  readonly namespace: string;
  readonly name: string;
  newCell(): C;
}

type Cells = Map<MetricDefinition<MetricCell>, MetricCell>;

/** The metrics of one transform in one task. */
export class StepMetrics {
  /** M3: of the open bundle. */
  private readonly open: Cells = new Map();
  private readonly finished: Cells = new Map();

  constructor(readonly transform: string) {}

  cell<C extends MetricCell>(definition: MetricDefinition<C>): C {
    return cellOf(this.open, definition);
  }

  /** The open bundle is committed. */
  commit(): void {
    for (const [definition, cell] of this.open) cell.moveTo(cellOf(this.finished, definition));
  }

  /** Of committed bundles. */
  committed(): Metric[] {
    return this.reportOf(this.finished);
  }

  /** Of all bundles, the open one included. */
  attempted(): Metric[] {
    return mergeMetrics([...this.committed(), ...this.reportOf(this.open)]);
  }

  private reportOf(cells: Cells): Metric[] {
    return [...cells].flatMap(([{ namespace, name }, cell]) => {
      const found = cell.report();
      return found === undefined ? [] : [{ transform: this.transform, namespace, name, ...found } as Metric];
    });
  }
}

function cellOf<C extends MetricCell>(cells: Cells, definition: MetricDefinition<C>): C {
  let cell = cells.get(definition);
  if (cell === undefined) cells.set(definition, (cell = definition.newCell()));
  return cell as C; // made by this very definition
}

/** To {@link enter} where a function runs for no transform: a metric that it uses then throws. */
export const NO_STEP = new StepMetrics("");

let inUse = false;
let current: StepMetrics | undefined;
const afterwards = new AsyncLocalStorage<StepMetrics>();

/** M1 */
export function metricsInUse(): boolean {
  return inUse;
}

/** A metric has been made. */
export function useMetrics(): void {
  inUse = true;
}

/** The cell of a metric for the transform whose function is running. @throws Error outside of any */
export function currentCell<C extends MetricCell>(definition: MetricDefinition<C>): C {
  const step = current ?? afterwards.getStore();
  if (step === undefined || step === NO_STEP)
    throw new Error(
      `metric "${definition.name}" was used outside of a transform's function; make it where the module is loaded, and use it only in ` +
        "functions that are given to transforms",
    );
  return step.cell(definition);
}

/** A function of the transform is called from now on; gives what {@link leave} wants back when it has returned. */
export function enter(step: StepMetrics): StepMetrics | undefined {
  const before = current;
  current = step;
  return before;
}

export function leave(before: StepMetrics | undefined): void {
  current = before;
}

/** Calls a function that may go on after it has returned (M2). */
export function later<R>(step: StepMetrics, fn: () => R): R {
  return afterwards.run(step, fn);
}
