// How a call fails: a closed set of codes, the same for every transport.

/** What the caller can conclude; the names are those of gRPC's status codes. */
export type ServiceErrorCode =
  /** The caller has given up. */
  | "CANCELLED"
  /** The request is wrong, whatever the state of the service. */
  | "INVALID_ARGUMENT"
  /** The service did not answer in time. */
  | "DEADLINE_EXCEEDED"
  /** What the request names does not exist (any more). */
  | "NOT_FOUND"
  /** What the request would create exists already. */
  | "ALREADY_EXISTS"
  /** The caller may not do this. */
  | "PERMISSION_DENIED"
  /** A limit is reached. */
  | "RESOURCE_EXHAUSTED"
  /** The request is right, but not in the present state. */
  | "FAILED_PRECONDITION"
  /** The service does not offer this method. */
  | "UNIMPLEMENTED"
  /** The service is at fault. */
  | "INTERNAL"
  /** The service cannot be reached now; trying again may help. */
  | "UNAVAILABLE"
  /** Anything else; errors that are no ServiceError arrive as this one. */
  | "UNKNOWN";

/** Thrown by a service to fail a call, and to the caller of a call that has failed. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";

  constructor(
    readonly code: ServiceErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`[${code}] ${message}`, options);
  }
}
