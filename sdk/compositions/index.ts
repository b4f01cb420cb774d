// Transforms made of others, with state and timers.
export { deduplicate, type DeduplicateOptions } from "./deduplicate.js";
export { groupIntoBatches, type GroupIntoBatchesOptions } from "./group-into-batches.js";
export { intervalJoin, type IntervalJoinOptions } from "./interval-join.js";
export { orderedPerKey, type Ordered, type OrderOptions, type Unordered } from "./ordered-per-key.js";
export { enrich, requestResponse } from "./request-response.js";
export type { RequestClock } from "./request-clock.js";
export {
  RequestTimeoutError,
  type CacheOptions,
  type RequestCall,
  type RequestContext,
  type RequestOptions,
  type RetryOptions,
} from "./requests.js";
export type { ThrottleOptions } from "./throttle.js";
