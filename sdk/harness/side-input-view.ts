import type { Coder } from "../../portability/coders/index.js";
import type { SideInput as SideInputElements } from "../../portability/stage-host/index.js";
import type { KV, Window } from "../../portability/values/index.js";
import { sideInputWindow, type WindowFn } from "../../portability/windows/index.js";
import type { SideInput } from "../model/side-input.js";
import { keyedView } from "./keyed-view.js";

/** V2 */
const VIEWS = new WeakMap<SideInput<unknown>, WeakMap<object, unknown>>();

/**
 * A side input in the shape its author asked for, one view for each window, made when it is first asked for.
 *
 * - V1. A view is as old as what it was made of: a window whose content has changed has another one, and so a new view.
 * - V2. All tasks of a process share the views of a side input, as they share its elements.
 */
export class SideInputView {
  private readonly made: WeakMap<object, unknown>;
  private lastMain: Window | undefined;
  private lastView: unknown;

  constructor(
    private readonly name: string,
    private readonly sideInput: SideInput<unknown>,
    private readonly elements: SideInputElements,
    private readonly windowFn: WindowFn,
  ) {
    let made = VIEWS.get(sideInput);
    if (made === undefined) VIEWS.set(sideInput, (made = new WeakMap()));
    this.made = made;
  }

  /** The view for elements in `mainWindow`. */
  at(mainWindow: Window): unknown {
    if (mainWindow === this.lastMain) return this.lastView;
    const values = this.elements.values(sideInputWindow(this.windowFn, mainWindow));
    let view = this.made.get(values);
    if (view === undefined) this.made.set(values, (view = this.make(values)));
    this.lastMain = mainWindow;
    this.lastView = view;
    return view;
  }

  /** A new bundle: a window may have other content now. */
  refresh(): void {
    this.lastMain = undefined;
  }

  private make(values: Values): unknown {
    const { kind, pcollection } = this.sideInput;
    switch (kind) {
      case "iterable":
        return values;
      case "list":
        return inMemory(values);
      case "singleton":
        return this.only(values);
      case "map":
      case "multimap":
        return keyedView(inMemory(values) as readonly KV<unknown, unknown>[], keyCoderOf(pcollection.coder), kind, this.name);
    }
  }

  private only(values: Values): unknown {
    if (values.length === 1) return inMemory(values)[0];
    if (values.length === 0 && this.sideInput.fallback !== undefined) return this.sideInput.fallback.value;
    const problem = values.length === 0 ? "no element; give asSingleton() a default" : `${values.length} elements; use asList()`;
    throw new RangeError(`side input "${this.name}" is read as a singleton, but its window has ${problem}`);
  }
}

type Values = ReturnType<SideInputElements["values"]>;

/** Of what is so large that it is on disk, a copy. */
function inMemory(values: Values): readonly unknown[] {
  return Array.isArray(values) ? values : [...values];
}

function keyCoderOf(coder: Coder<unknown>): Coder<unknown> {
  return coder.components[0];
}
