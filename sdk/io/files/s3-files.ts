// Files in S3, or a store that speaks its protocol: `s3://bucket/key`. The AWS SDK is loaded when first needed; region, credentials and
// endpoint are what it finds: environment variables, profiles, the machine's role.
import { isDynamicPattern } from "tinyglobby";
import type { FileMetadata, FileSystem, PreparedFile, Replacement } from "./file-system.js";
import { literalPrefix, matcherOf } from "./globs.js";
import { s3Client, type S3 } from "./s3-client.js";
import { s3Failure } from "./s3-failure.js";
import { S3Upload, type Place } from "./s3-upload.js";

/** @throws RangeError */
function placeOf(path: string): Place {
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/is.exec(path) ?? [];
  if (Bucket === undefined) throw new RangeError(`"${path}" names no file: write s3://bucket/key`);
  return { Bucket, Key };
}

export const s3Files: FileSystem = {
  async match(pattern) {
    const { Bucket, Key } = placeOf(pattern);
    const s3 = await s3Client();
    if (!isDynamicPattern(Key)) return [await s3Files.stat(pattern)];
    try {
      const matches = matcherOf(Key);
      const found: FileMetadata[] = [];
      for await (const page of s3.sdk.paginateListObjectsV2({ client: s3.client }, { Bucket, Prefix: literalPrefix(Key) }))
        for (const { Key: key, Size = 0, LastModified } of page.Contents ?? []) {
          // A key that ends with a slash stands for a folder.
          if (key === undefined || key.endsWith("/")) continue;
          const metadata = { path: `s3://${Bucket}/${key}`, size: Size, modified: LastModified?.getTime() ?? 0 };
          if (key === Key) return [metadata]; // an object may be named like a pattern
          if (matches(key)) found.push(metadata);
        }
      return found.sort((a, b) => (a.path < b.path ? -1 : 1));
    } catch (cause) {
      throw s3Failure("read", pattern, cause);
    }
  },
  async stat(path) {
    try {
      return await metadataOf(await s3Client(), path);
    } catch (cause) {
      throw s3Failure("read", path, cause);
    }
  },
  async *blocks(path, position = 0) {
    try {
      yield* await rangeOf(path, `bytes=${position}-`);
    } catch (cause) {
      if ((cause as Error).name === "InvalidRange") return; // it is empty, or ends there
      throw s3Failure("read", path, cause);
    }
  },
  async read(path, start, end) {
    if (end <= start) return new Uint8Array(0);
    try {
      const chunks: Uint8Array[] = [];
      for await (const chunk of await rangeOf(path, `bytes=${start}-${end - 1}`)) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      if (bytes.length < end - start) throw new Error(`it ends at byte ${start + bytes.length}, before ${end}`);
      return bytes;
    } catch (cause) {
      throw s3Failure("read", path, cause);
    }
  },
  async create(path) {
    const upload = await begin(path);
    return {
      path,
      write: (bytes) => upload.write(bytes),
      async close() {
        if (!upload.isComplete) await upload.complete(await upload.finish());
      },
      async abandon() {
        await upload.abort();
        await s3Files.remove(path);
      },
    };
  },
  async replace(path): Promise<Replacement> {
    const upload = await begin(path);
    return {
      write: (bytes) => upload.write(bytes),
      close: async () => ({ path, token: await upload.finish() }),
      abandon: () => upload.abort(),
    };
  },
  publish: async ({ path, token }) => S3Upload.resume(await s3Client(), placeOf(path), token).complete(token),
  abandon: async ({ path, token }: PreparedFile) => S3Upload.resume(await s3Client(), placeOf(path), token).abort(),
  async remove(path) {
    const { sdk, client } = await s3Client();
    await client.send(new sdk.DeleteObjectCommand(placeOf(path)));
  },
  failure: s3Failure,
};

async function begin(path: string): Promise<S3Upload> {
  return S3Upload.begin(await s3Client(), placeOf(path));
}

async function metadataOf({ sdk, client }: S3, path: string): Promise<FileMetadata> {
  const { ContentLength = 0, LastModified } = await client.send(new sdk.HeadObjectCommand(placeOf(path)));
  return { path, size: ContentLength, modified: LastModified?.getTime() ?? 0 };
}

async function rangeOf(path: string, Range: string): Promise<AsyncIterable<Uint8Array>> {
  const { sdk, client } = await s3Client();
  const { Body } = await client.send(new sdk.GetObjectCommand({ ...placeOf(path), Range }));
  return Body as AsyncIterable<Uint8Array>;
}
