// URNs of optional parts of the protocol, and of what pipelines require. The facts that they are checked against are in test/conformance/facts.

/** What a harness can do beyond the minimum: `StandardProtocols.Enum`. */
export const SDK_CAPABILITY = {
  LEGACY_PROGRESS_REPORTING: "beam:protocol:progress_reporting:v0",
  PROGRESS_REPORTING: "beam:protocol:progress_reporting:v1",
  WORKER_STATUS: "beam:protocol:worker_status:v1",
  MULTI_CORE_BUNDLE_PROCESSING: "beam:protocol:multi_core_bundle_processing:v1",
  SIBLING_WORKERS: "beam:protocol:sibling_workers:v1",
  HARNESS_MONITORING_INFOS: "beam:protocol:harness_monitoring_infos:v1",
  CONTROL_REQUEST_ELEMENTS_EMBEDDING: "beam:protocol:control_request_elements_embedding:v1",
  STATE_CACHING: "beam:protocol:state_caching:v1",
  DATA_SAMPLING: "beam:protocol:data_sampling:v1",
  SDK_CONSUMING_RECEIVED_DATA: "beam:protocol:sdk_consuming_received_data:v1",
  ORDERED_LIST_STATE: "beam:protocol:ordered_list_state:v1",
  ELEMENT_METADATA: "beam:protocol:element_metadata:v1",
  MULTIMAP_STATE: "beam:protocol:multimap_state:v1",
  NAMED_DATA_STREAMS: "beam:protocol:named_data_streams:v1",
} as const;

/** What a runner can do beyond the minimum: `StandardRunnerProtocols.Enum`. */
export const RUNNER_CAPABILITY = {
  MONITORING_INFO_SHORT_IDS: "beam:protocol:monitoring_info_short_ids:v1",
  CONTROL_RESPONSE_ELEMENTS_EMBEDDING: "beam:protocol:control_response_elements_embedding:v1",
  MULTIMAP_KEYS_VALUES_SIDE_INPUT: "beam:protocol:multimap_keys_values_side_input:v1",
} as const;

/** What a pipeline may require; an unknown one must be refused: `StandardRequirements.Enum`. */
export const REQUIREMENT = {
  REQUIRES_STATEFUL_PROCESSING: "beam:requirement:pardo:stateful:v1",
  REQUIRES_BUNDLE_FINALIZATION: "beam:requirement:pardo:finalization:v1",
  REQUIRES_STABLE_INPUT: "beam:requirement:pardo:stable_input:v1",
  REQUIRES_TIME_SORTED_INPUT: "beam:requirement:pardo:time_sorted_input:v1",
  REQUIRES_SPLITTABLE_DOFN: "beam:requirement:pardo:splittable_dofn:v1",
  REQUIRES_ON_WINDOW_EXPIRATION: "beam:requirement:pardo:on_window_expiration:v1",
} as const;
