import type * as Sdk from "@aws-sdk/client-s3";

/** The AWS SDK and a client of it. */
export interface S3 {
  readonly sdk: typeof Sdk;
  readonly client: Sdk.S3Client;
}

let loading: Promise<S3> | undefined;

/**
 * The process's client. Where the environment names an endpoint of its own (`AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`), buckets are part
 * of the path and not of the host name.
 *
 * @throws Error when the SDK is not installed
 */
export function s3Client(): Promise<S3> {
  loading ??= load();
  loading.catch(() => (loading = undefined));
  return loading;
}

async function load(): Promise<S3> {
  const sdk = await import("@aws-sdk/client-s3").catch((cause: unknown) => {
    throw new Error("s3:// needs the AWS SDK, which is not installed: npm install @aws-sdk/client-s3", { cause });
  });
  const forcePathStyle = (process.env["AWS_ENDPOINT_URL_S3"] ?? process.env["AWS_ENDPOINT_URL"]) !== undefined;
  return { sdk, client: new sdk.S3Client({ forcePathStyle }) };
}
