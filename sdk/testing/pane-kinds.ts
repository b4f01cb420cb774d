import { PaneTiming, type PaneInfo } from "../../portability/values/index.js";

/** A kind of panes: by their time relative to the end of their window, or the last one of a window. */
export type PaneKind = "early" | "on time" | "late" | "final";

export function isOfKind(pane: PaneInfo, kind: PaneKind): boolean {
  switch (kind) {
    case "early":
      return pane.timing === PaneTiming.EARLY;
    case "on time":
      return pane.timing === PaneTiming.ON_TIME;
    case "late":
      return pane.timing === PaneTiming.LATE;
    case "final":
      return pane.isLast;
  }
}
