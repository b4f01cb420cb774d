import { FileError } from "./file-error.js";

/** What the store's own error means for who runs the pipeline, by its name or code. */
const REASONS: Readonly<Record<string, string>> = {
  NoSuchBucket: "there is no such bucket",
  NoSuchKey: "there is no such object",
  NotFound: "there is no such object, or bucket",
  AccessDenied: "access denied: these credentials may not do that in this bucket",
  Forbidden: "access denied: these credentials may not do that in this bucket",
  InvalidAccessKeyId: "the access key is not known to the store; look at AWS_ACCESS_KEY_ID or the profile",
  XAdminUserNotFound: "the access key is not known to the store; look at AWS_ACCESS_KEY_ID or the profile", // Versity's
  SignatureDoesNotMatch: "the secret key is wrong; look at AWS_SECRET_ACCESS_KEY or the profile",
  ExpiredToken: "the credentials have expired",
  CredentialsProviderError: "there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
  PermanentRedirect: "the bucket is in another region; set AWS_REGION",
  AuthorizationHeaderMalformed: "the bucket is in another region; set AWS_REGION",
  ECONNREFUSED: "nobody listens at the store's address; look at AWS_ENDPOINT_URL_S3",
  ENOTFOUND: "the store's address is not known; look at AWS_ENDPOINT_URL_S3 and AWS_REGION",
  TimeoutError: "the store does not answer",
};

/** An error that says what to do; the store's own is its cause. */
export function s3Failure(doing: "read" | "write", path: string, cause: unknown): FileError {
  if (cause instanceof FileError) return cause;
  const { name, code, message, $metadata } = cause as Error & { code?: string; $metadata?: { httpStatusCode?: number } };
  const reason =
    REASONS[code ?? ""] ??
    REASONS[name] ??
    ($metadata?.httpStatusCode === 403 ? REASONS["Forbidden"] : undefined) ??
    (/region is missing/i.test(message) ? "the region is not known; set AWS_REGION" : undefined);
  return new FileError(doing, path, reason ?? (message || name), cause);
}
