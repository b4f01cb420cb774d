/**
 * Bytes that no value of the coder has, or a value that the coder cannot write.
 *
 * @example
 * ```ts
 * try {
 *   coderOf(Order).decode(new ByteReader(new Uint8Array([200])), false);
 * } catch (error) {
 *   if (error instanceof CoderError) console.log(error.message);
 * }
 * ```
 */
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
