import { RUNNER_CAPABILITY } from "../../portability/urns/index.js";

/** What this runner can do of the Fn API beyond the minimum: told to each worker, which relies on it. */
export const RUNNER_CAPABILITIES: readonly string[] = [
  RUNNER_CAPABILITY.MONITORING_INFO_SHORT_IDS,
  RUNNER_CAPABILITY.CONTROL_RESPONSE_ELEMENTS_EMBEDDING,
];
