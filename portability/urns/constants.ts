// Other fixed strings of the protocol. The facts that they are checked against are in test/conformance/facts.

/** Instants in milliseconds, as text: `BeamConstants.Constants`. */
export const BEAM_CONSTANT = {
  MIN_TIMESTAMP_MILLIS: "-9223372036854775",
  MAX_TIMESTAMP_MILLIS: "9223372036854775",
  GLOBAL_WINDOW_MAX_TIMESTAMP_MILLIS: "9223371950454775",
} as const;

/** `Annotations.Enum`. */
export const ANNOTATION = {
  CONFIG_ROW_KEY: "config_row",
  CONFIG_ROW_SCHEMA_KEY: "config_row_schema",
  SCHEMATRANSFORM_URN_KEY: "schematransform_urn",
  MANAGED_UNDERLYING_TRANSFORM_URN_KEY: "managed_underlying_transform_urn",
} as const;

/** `CommitManifestResponse.Constants`. */
export const MANIFEST_CONSTANT = {
  NO_ARTIFACTS_STAGED_TOKEN: "__no_artifacts_staged__",
} as const;

/** `StandardDisplayData.DisplayData`. */
export const DISPLAY_DATA = {
  LABELLED: "beam:display_data:labelled:v1",
} as const;
