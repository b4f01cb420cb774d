import type * as Sdk from "@aws-sdk/client-s3";
import type { S3 } from "./s3-client.js";

/** The least that a part may have, but the last. */
const PART_BYTES = 8 << 20;
/** After so many parts they become larger, since there are 10 000 at most: so a file may have 440 GB. */
const PARTS_OF_A_SIZE = 1000;

/** Where an object is. */
export interface Place {
  readonly Bucket: string;
  readonly Key: string;
}

interface Token {
  readonly id: string;
  readonly parts: Sdk.CompletedPart[];
}

/**
 * An object that is being written, as a multipart upload: nobody sees anything of it before it is completed, and then it is there whole,
 * in place of what was there.
 */
export class S3Upload {
  isComplete = false;
  private pending: Buffer[] = [];
  private size = 0;

  private constructor(
    private readonly s3: S3,
    private readonly place: Place,
    readonly id: string,
    private readonly parts: Sdk.CompletedPart[],
  ) {}

  static async begin(s3: S3, place: Place): Promise<S3Upload> {
    const { UploadId } = await s3.client.send(new s3.sdk.CreateMultipartUploadCommand(place));
    if (UploadId === undefined) throw new Error("the store began no upload");
    return new S3Upload(s3, place, UploadId, []);
  }

  /** One that was finished, perhaps by another process. */
  static resume(s3: S3, place: Place, token: string): S3Upload {
    const { id, parts } = tokenOf(token);
    return new S3Upload(s3, place, id, parts);
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.pending.push(Buffer.from(bytes));
    this.size += bytes.length;
    if (this.size >= PART_BYTES * (1 + Math.floor(this.parts.length / PARTS_OF_A_SIZE))) await this.sendPart();
  }

  /** All parts are with the store; what it takes to complete the object. */
  async finish(): Promise<string> {
    if (this.size > 0 || this.parts.length === 0) await this.sendPart();
    return JSON.stringify({ id: this.id, parts: this.parts } satisfies Token);
  }

  async complete(token: string): Promise<void> {
    const { parts } = tokenOf(token);
    const { sdk, client } = this.s3;
    await client.send(new sdk.CompleteMultipartUploadCommand({ ...this.place, UploadId: this.id, MultipartUpload: { Parts: parts } }));
    this.isComplete = true;
  }

  /** Nothing is left of it; a completed object stays. */
  async abort(): Promise<void> {
    this.pending = [];
    this.size = 0;
    if (!this.isComplete) await S3Upload.abortId(this.s3, this.place, this.id);
  }

  /** The same for one of which only the id is known. */
  static async abortId({ sdk, client }: S3, place: Place, UploadId: string): Promise<void> {
    await client.send(new sdk.AbortMultipartUploadCommand({ ...place, UploadId })).catch((cause: unknown) => {
      if ((cause as Error).name !== "NoSuchUpload") throw cause;
    });
  }

  private async sendPart(): Promise<void> {
    const Body = Buffer.concat(this.pending);
    this.pending = [];
    this.size = 0;
    const { sdk, client } = this.s3;
    const PartNumber = this.parts.length + 1;
    const { ETag } = await client.send(new sdk.UploadPartCommand({ ...this.place, UploadId: this.id, PartNumber, Body }));
    this.parts.push({ ETag, PartNumber });
  }
}

function tokenOf(token: string): Token {
  return JSON.parse(token) as Token;
}
