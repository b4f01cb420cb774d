// Files in S3, or a store that speaks its protocol: `s3://bucket/key`. The AWS SDK is loaded when first needed; region, credentials and
// endpoint are what it finds: environment variables, profiles, the machine's role.
import { isDynamicPattern } from "tinyglobby";
import type * as Sdk from "@aws-sdk/client-s3";
import type { FileMetadata, FileSystem, PreparedFile, Replacement } from "./file-system.js";
import { markOf, targetOfTemporary, temporaryName } from "./file-names.js";
import { literalPrefix, matcherOf } from "./globs.js";
import { s3Client, type S3 } from "./s3-client.js";
import { s3Failure } from "./s3-failure.js";
import { S3Upload, type Place } from "./s3-upload.js";

/** @throws RangeError for what names no object */
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
  async exists(path) {
    try {
      await metadataOf(await s3Client(), path);
      return true;
    } catch (cause) {
      if ((cause as Error).name === "NotFound") return false;
      throw cause;
    }
  },
  // An upload has the key of the object that it is to become, and no place for a mark: a note beside it, a hidden object, has its id.
  async replace(path, mark): Promise<Replacement> {
    const upload = await begin(path);
    const note = mark === undefined ? undefined : temporaryName(path, mark);
    const abandon = async (): Promise<void> => {
      await upload.abort();
      if (note !== undefined) await s3Files.remove(note);
    };
    try {
      if (note !== undefined) await putNote(note, { id: upload.id });
    } catch (cause) {
      await abandon().catch(() => {}); // the first error counts
      throw cause;
    }
    return {
      write: (bytes) => upload.write(bytes),
      close: async () => ({ path, token: JSON.stringify({ note, upload: await upload.finish() } satisfies Token) }),
      abandon,
    };
  },
  async publish({ path, token }) {
    const { note, upload } = tokenOf(token);
    try {
      await S3Upload.resume(await s3Client(), placeOf(path), upload).complete(upload);
    } catch (cause) {
      if ((cause as Error).name !== "NoSuchUpload") throw cause;
      if (!(await s3Files.exists(path))) throw new Error("its upload is gone, and it is not there", { cause });
    }
    if (note !== undefined) await s3Files.remove(note);
  },
  async abandon({ path, token }: PreparedFile) {
    const { note, upload } = tokenOf(token);
    await S3Upload.resume(await s3Client(), placeOf(path), upload).abort();
    if (note !== undefined) await s3Files.remove(note);
  },
  async remove(path) {
    const { sdk, client } = await s3Client();
    await client.send(new sdk.DeleteObjectCommand(placeOf(path)));
  },
  async sweep(folder, deep, isLeft) {
    const { Bucket, Key: folderKey = "" } = bucketOf(folder);
    const Prefix = deep ? folderKey : `${folderKey}.`;
    const { sdk, client } = await s3Client();
    const wanted = (key: string | undefined): key is string => {
      const mark = key === undefined || (!deep && key.includes("/", folderKey.length)) ? undefined : markOf(key);
      return mark !== undefined && isLeft(mark);
    };
    const abort = (Key: string, UploadId: string): Promise<void> => S3Upload.abortId({ sdk, client }, { Bucket, Key }, UploadId);
    for await (const { Contents = [] } of sdk.paginateListObjectsV2({ client }, { Bucket, Prefix }))
      for (const { Key } of Contents) {
        if (!wanted(Key)) continue;
        const path = `s3://${Bucket}/${Key}`;
        const note = await noteAt(path);
        if (note !== undefined) await abort(targetOfTemporary(Key), note.id);
        await s3Files.remove(path);
      }
    // Parts that were being written have names of their own, which tell what to do with their uploads.
    for (let KeyMarker, UploadIdMarker; ;) {
      const page: Sdk.ListMultipartUploadsCommandOutput = await client.send(
        new sdk.ListMultipartUploadsCommand({ Bucket, Prefix, KeyMarker, UploadIdMarker }),
      );
      for (const { Key, UploadId } of page.Uploads ?? []) if (wanted(Key)) await abort(Key, UploadId!);
      if (page.IsTruncated !== true) return;
      ({ NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page);
    }
  },
  failure: s3Failure,
};

/** What it takes to publish, or abandon, an upload of {@link FileSystem.replace}. */
interface Token {
  readonly note?: string | undefined;
  readonly upload: string;
}

function tokenOf(token: string): Token {
  return JSON.parse(token) as Token; // as `close` wrote it
}

/** The content of a note. */
interface Note {
  /** Of the upload. */
  readonly id: string;
}

/** Longest note that is looked at; parts are longer, or do not begin like one. */
const NOTE_BYTES = 8192;
const NOTE_START = '{"beamstorm-upload":';

async function putNote(path: string, { id }: Note): Promise<void> {
  const { sdk, client } = await s3Client();
  await client.send(new sdk.PutObjectCommand({ ...placeOf(path), Body: Buffer.from(`${NOTE_START}${JSON.stringify(id)}}`) }));
}

/** The note at a path; undefined if it is a part. */
async function noteAt(path: string): Promise<Note | undefined> {
  const { size } = await s3Files.stat(path);
  if (size > NOTE_BYTES) return undefined;
  const text = Buffer.from(await s3Files.read(path, 0, size)).toString();
  return text.startsWith(NOTE_START) ? { id: JSON.parse(text.slice(NOTE_START.length, -1)) as string } : undefined;
}

/** `s3://bucket/` or `s3://bucket/key/`. */
function bucketOf(folder: string): { readonly Bucket: string; readonly Key?: string } {
  const [, Bucket, Key = ""] = /^s3:\/\/([^/]+)\/?(.*)$/is.exec(folder) ?? [];
  if (Bucket === undefined) throw new RangeError(`"${folder}" names no bucket: write s3://bucket/key`);
  return { Bucket, Key };
}

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
