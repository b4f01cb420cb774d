// What a file format says of itself, so that matching, compression, sharding, destinations and publishing whole files are written once,
// for every format and every file system.

/** Takes the bytes of one file, in order. A call's bytes may be reused by the caller once it has resolved. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
}

/** Writes the records of one file; never two calls at a time. */
export interface RecordWriter<T> {
  write(record: T): void | Promise<void>;
  /** Writes what is left, e.g. a footer. The file is closed by who opened it. */
  finish(): Promise<void>;
}

/** How records become the bytes of a file. */
export interface WriteFormat<T> {
  /**
   * "concatenate": files of this format, one behind the other, are a file of it (lines of text): parts are written where their records
   * are, and joined. "whole": a file is written by one writer from its first record to its last (Parquet): records are brought together
   * first.
   */
  readonly parts: "concatenate" | "whole";
  /** The ending of names, with its dot, e.g. ".parquet", where there are several files and nobody says otherwise. */
  readonly suffix: string;
  /** What every file begins with, where parts are concatenated: a part has none. */
  readonly header?: Uint8Array;
  open(sink: ByteSink): RecordWriter<T>;
}

/** A file that can be read anywhere, without reading all of it. */
export interface RandomAccessFile {
  /** Named in errors. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** The bytes of `[start, end)`, whole. */
  read(start: number, end: number): Promise<Uint8Array>;
}

/** How the bytes of a file become records. */
export interface ReadFormat<T> {
  /** "random" asks for {@link RandomAccessFile.read}, which a compressed file does not have. */
  readonly access: "stream" | "random";
  /** The records of one file, in its order: in batches, so that a record costs no promise. */
  records(file: OpenFile): AsyncIterable<readonly T[]>;
}

/** One file as its format reads it: decompressed. */
export interface OpenFile extends RandomAccessFile {
  /** Blocks of bytes from the start; one is valid until the next is asked for. */
  blocks(): AsyncIterable<Uint8Array>;
}
