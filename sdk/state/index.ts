// State and timers: their declarations, and the handles that functions receive. See transforms/stateful-par-do.ts.
export { bag, type BagState, type LargeBagState } from "./bag-state.js";
export { combining, type CombiningState } from "./combining-state.js";
export type { ElementType } from "./element-type.js";
export { mapOf, type LargeMapState, type MapState } from "./map-state.js";
export { multimapOf, type LargeMultimapState, type MultimapState } from "./multimap-state.js";
export { orderedList, type LargeOrderedListState, type OrderedListState, type Timestamped } from "./ordered-list-state.js";
export { set, type LargeSetState, type SetState } from "./set-state.js";
export {
  eventTimer,
  eventTimers,
  processingTimer,
  processingTimers,
  type DelayOptions,
  type EventTimer,
  type EventTimers,
  type ProcessingTimer,
  type ProcessingTimers,
  type TimerOptions,
} from "./timers.js";
export { value, type ValueState } from "./value-state.js";
