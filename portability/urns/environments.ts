// URNs of environments, artifacts, and hints about resources. The facts that they are checked against are in test/conformance/facts.

/** `StandardEnvironments.Environments`. */
export const ENVIRONMENT = {
  DOCKER: "beam:env:docker:v1",
  PROCESS: "beam:env:process:v1",
  EXTERNAL: "beam:env:external:v1",
  DEFAULT: "beam:env:default:v1",
  ANYOF: "beam:env:anyof:v1",
} as const;

/** `StandardArtifacts.Types`. */
export const ARTIFACT_TYPE = {
  FILE: "beam:artifact:type:file:v1",
  URL: "beam:artifact:type:url:v1",
  EMBEDDED: "beam:artifact:type:embedded:v1",
  PYPI: "beam:artifact:type:pypi:v1",
  MAVEN: "beam:artifact:type:maven:v1",
  DEFERRED: "beam:artifact:type:deferred:v1",
} as const;

/** `StandardArtifacts.Roles`. */
export const ARTIFACT_ROLE = {
  STAGING_TO: "beam:artifact:role:staging_to:v1",
  PIP_REQUIREMENTS_FILE: "beam:artifact:role:pip_requirements_file:v1",
  GO_WORKER_BINARY: "beam:artifact:role:go_worker_binary:v1",
} as const;

/** `StandardResourceHints.Enum`. */
export const RESOURCE_HINT = {
  ACCELERATOR: "beam:resources:accelerator:v1",
  MIN_RAM_BYTES: "beam:resources:min_ram_bytes:v1",
  CPU_COUNT: "beam:resources:cpu_count:v1",
  MAX_ACTIVE_BUNDLES_PER_WORKER: "beam:resources:max_active_bundles_per_worker:v1",
} as const;
