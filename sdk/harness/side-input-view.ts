import type { Coder } from "../../portability/coders/index.js";
import type { SideInput as SideInputElements } from "../../portability/stage-host/index.js";
import type { KV, Window } from "../../portability/values/index.js";
import { sideInputWindow, type WindowFn } from "../../portability/windows/index.js";
import type { SideInput } from "../model/side-input.js";
import { keyedView } from "./keyed-view.js";

/**
 * A side input in the shape its author asked for, one view for each window, made when it is first asked for.
 *
 * - V1. A view is as old as the array it was made of: a window whose content has changed has a new array, and so a new view.
 */
export class SideInputView {
  private readonly made = new WeakMap<readonly unknown[], unknown>();
  private lastMain: Window | undefined;
  private lastView: unknown;

  constructor(
    private readonly name: string,
    private readonly sideInput: SideInput<unknown>,
    private readonly elements: SideInputElements,
    private readonly windowFn: WindowFn,
  ) {}

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

  private make(values: readonly unknown[]): unknown {
    const { kind, pcollection } = this.sideInput;
    switch (kind) {
      case "iterable":
      case "list":
        return values;
      case "singleton":
        return this.only(values);
      case "map":
      case "multimap":
        return keyedView(values as readonly KV<unknown, unknown>[], keyCoderOf(pcollection.coder), kind, this.name);
    }
  }

  private only(values: readonly unknown[]): unknown {
    if (values.length === 1) return values[0];
    if (values.length === 0 && this.sideInput.fallback !== undefined) return this.sideInput.fallback.value;
    const problem = values.length === 0 ? "no element; give asSingleton() a default" : `${values.length} elements; use asList()`;
    throw new RangeError(`side input "${this.name}" is read as a singleton, but its window has ${problem}`);
  }
}

function keyCoderOf(coder: Coder<unknown>): Coder<unknown> {
  return coder.components[0];
}
