/** Bytes that no value of the coder has, or a value that the coder cannot write. */
export class CoderError extends Error {
  override readonly name = "CoderError";
  constructor(
    message: string,
    /** Offset in the input at which decoding failed; undefined when encoding. */
    readonly offset?: number,
  ) {
    super(offset === undefined ? message : `${message} (at byte ${offset})`);
  }
}
