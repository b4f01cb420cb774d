// URNs of transforms. The facts that they are checked against are in test/conformance/facts.

/** What the model is built of: `StandardPTransforms.Primitives`. */
export const PRIMITIVE = {
  PAR_DO: "beam:transform:pardo:v1",
  FLATTEN: "beam:transform:flatten:v1",
  GROUP_BY_KEY: "beam:transform:group_by_key:v1",
  IMPULSE: "beam:transform:impulse:v1",
  ASSIGN_WINDOWS: "beam:transform:window_into:v1",
  TEST_STREAM: "beam:transform:teststream:v1",
  MAP_WINDOWS: "beam:transform:map_windows:v1",
  MERGE_WINDOWS: "beam:transform:merge_windows:v1",
  TO_STRING: "beam:transform:to_string:v1",
} as const;

/** `StandardPTransforms.DeprecatedPrimitives`. */
export const DEPRECATED_PRIMITIVE = {
  READ: "beam:transform:read:v1",
  CREATE_VIEW: "beam:transform:create_view:v1",
} as const;

/** Composites that a runner may execute in its own way: `StandardPTransforms.Composites`. */
export const COMPOSITE = {
  COMBINE_PER_KEY: "beam:transform:combine_per_key:v1",
  COMBINE_GLOBALLY: "beam:transform:combine_globally:v1",
  RESHUFFLE: "beam:transform:reshuffle:v1",
  WRITE_FILES: "beam:transform:write_files:v1",
  PUBSUB_READ: "beam:transform:pubsub_read:v1",
  PUBSUB_WRITE: "beam:transform:pubsub_write:v1",
  PUBSUB_WRITE_V2: "beam:transform:pubsub_write:v2",
  GROUP_INTO_BATCHES_WITH_SHARDED_KEY: "beam:transform:group_into_batches_with_sharded_key:v1",
  REDISTRIBUTE_BY_KEY: "beam:transform:redistribute_by_key:v1",
  REDISTRIBUTE_ARBITRARILY: "beam:transform:redistribute_arbitrarily:v1",
} as const;

/** `StandardPTransforms.CombineComponents`. */
export const COMBINE_COMPONENT = {
  COMBINE_PER_KEY_PRECOMBINE: "beam:transform:combine_per_key_precombine:v1",
  COMBINE_PER_KEY_MERGE_ACCUMULATORS: "beam:transform:combine_per_key_merge_accumulators:v1",
  COMBINE_PER_KEY_EXTRACT_OUTPUTS: "beam:transform:combine_per_key_extract_outputs:v1",
  COMBINE_GROUPED_VALUES: "beam:transform:combine_grouped_values:v1",
  COMBINE_PER_KEY_CONVERT_TO_ACCUMULATORS: "beam:transform:combine_per_key_convert_to_accumulators:v1",
} as const;

/** `StandardPTransforms.SplittableParDoComponents`. */
export const SPLITTABLE_PAR_DO_COMPONENT = {
  PAIR_WITH_RESTRICTION: "beam:transform:sdf_pair_with_restriction:v1",
  SPLIT_AND_SIZE_RESTRICTIONS: "beam:transform:sdf_split_and_size_restrictions:v1",
  PROCESS_SIZED_ELEMENTS_AND_RESTRICTIONS: "beam:transform:sdf_process_sized_element_and_restrictions:v1",
  TRUNCATE_SIZED_RESTRICTION: "beam:transform:sdf_truncate_sized_restrictions:v1",
} as const;

/** `StandardPTransforms.GroupIntoBatchesComponents`. */
export const GROUP_INTO_BATCHES_COMPONENT = {
  GROUP_INTO_BATCHES: "beam:transform:group_into_batches:v1",
} as const;

/** Where a stage takes its input and leaves its output, in bundle descriptors: `FnApiTransforms.Runner`. */
export const BUNDLE_PORT = {
  DATA_SOURCE: "beam:runner:source:v1",
  DATA_SINK: "beam:runner:sink:v1",
} as const;

/** `ManagedTransforms.Urns`. */
export const MANAGED_TRANSFORM = {
  ICEBERG_READ: "beam:schematransform:org.apache.beam:iceberg_read:v1",
  ICEBERG_WRITE: "beam:schematransform:org.apache.beam:iceberg_write:v1",
  KAFKA_READ: "beam:schematransform:org.apache.beam:kafka_read:v1",
  KAFKA_WRITE: "beam:schematransform:org.apache.beam:kafka_write:v1",
  BIGQUERY_READ: "beam:schematransform:org.apache.beam:bigquery_storage_read:v1",
  BIGQUERY_WRITE: "beam:schematransform:org.apache.beam:bigquery_write:v1",
  ICEBERG_CDC_READ: "beam:schematransform:org.apache.beam:iceberg_cdc_read:v1",
  POSTGRES_READ: "beam:schematransform:org.apache.beam:postgres_read:v1",
  POSTGRES_WRITE: "beam:schematransform:org.apache.beam:postgres_write:v1",
  MYSQL_READ: "beam:schematransform:org.apache.beam:mysql_read:v1",
  MYSQL_WRITE: "beam:schematransform:org.apache.beam:mysql_write:v1",
  SQL_SERVER_READ: "beam:schematransform:org.apache.beam:sql_server_read:v1",
  SQL_SERVER_WRITE: "beam:schematransform:org.apache.beam:sql_server_write:v1",
  DELTA_LAKE_READ: "beam:schematransform:org.apache.beam:delta_lake_read:v1",
  DELTA_LAKE_CDC_READ: "beam:schematransform:org.apache.beam:delta_lake_cdc_read:v1",
} as const;

/** `ExpansionMethods.Enum`. */
export const EXPANSION_METHOD = {
  JAVA_CLASS_LOOKUP: "beam:expansion:payload:java_class_lookup:v1",
  SCHEMA_TRANSFORM: "beam:expansion:payload:schematransform:v1",
} as const;
