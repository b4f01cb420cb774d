// ServiceErrors as gRPC statuses, and back.
import { status, type ServiceError as GrpcError } from "@grpc/grpc-js";
import { ServiceError, type ServiceErrorCode } from "../services/index.js";

const CODES: Readonly<Record<ServiceErrorCode, status>> = {
  CANCELLED: status.CANCELLED,
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED,
  NOT_FOUND: status.NOT_FOUND,
  ALREADY_EXISTS: status.ALREADY_EXISTS,
  PERMISSION_DENIED: status.PERMISSION_DENIED,
  RESOURCE_EXHAUSTED: status.RESOURCE_EXHAUSTED,
  FAILED_PRECONDITION: status.FAILED_PRECONDITION,
  UNIMPLEMENTED: status.UNIMPLEMENTED,
  INTERNAL: status.INTERNAL,
  UNAVAILABLE: status.UNAVAILABLE,
  UNKNOWN: status.UNKNOWN,
};
const NAMES = new Map(Object.entries(CODES).map(([name, code]) => [code, name as ServiceErrorCode]));

/** Longer texts do not fit into the trailers of every peer (8 KiB in all). */
const MAX_DETAILS = 4000;

/** What a failed call tells its caller. */
export function statusOf(error: unknown): { code: status; details: string } {
  const code = error instanceof ServiceError ? CODES[error.code] : status.UNKNOWN;
  const text = error instanceof Error ? error.message : String(error);
  const details = error instanceof ServiceError ? text.replace(`[${error.code}] `, "") : text;
  return { code, details: details.length > MAX_DETAILS ? `${details.slice(0, MAX_DETAILS)}…` : details };
}

/** What a caller gets for a call that has failed. */
export function serviceErrorOf(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  const { code, details } = error as Partial<GrpcError>;
  const name = (typeof code === "number" ? NAMES.get(code) : undefined) ?? "UNKNOWN";
  return new ServiceError(name, details || (error instanceof Error ? error.message : String(error)), { cause: error });
}
