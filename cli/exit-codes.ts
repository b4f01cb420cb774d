/** What the command's exit code says. Documented in README.md. */
export const ExitCode = {
  /** The pipeline ran to its end. */
  DONE: 0,
  /** The pipeline started and failed. */
  FAILED: 1,
  /** Nothing ran: a wrong option, a missing file, a module without a pipeline, an invalid pipeline. */
  USAGE: 2,
  /** Cancelled by SIGINT (Ctrl-C). */
  CANCELLED: 130,
  /** Cancelled by SIGTERM. */
  TERMINATED: 143,
} as const;
