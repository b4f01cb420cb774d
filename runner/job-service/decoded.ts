import { ServiceError } from "../../portability/services/index.js";

/** What a client has sent inside a message, read. @throws ServiceError INVALID_ARGUMENT if it cannot be */
export function decoded<T>(what: string, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw new ServiceError("INVALID_ARGUMENT", `${what} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
